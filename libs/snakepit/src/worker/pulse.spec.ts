import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Pulse, type PulseDecision } from './pulse.js';

const INTERVAL = 100;
const TIMEOUT = 350;

/** Looks one after the other: time, when the worker was last heard, whether it can answer, and what that calls for. */
type Look = readonly [nowMs: number, lastHeardAt: number, canAnswer: boolean, decision: PulseDecision];

describe('Pulse', () => {
  const courses: ReadonlyArray<readonly [string, readonly Look[]]> = [
    [
      'leaves a worker alone that was heard within the interval',
      [
        [99, 0, true, 'nothing'],
        [180, 99, true, 'nothing'],
      ],
    ],
    [
      'asks after a silence of one interval, once',
      [
        [100, 0, true, 'ping'],
        [200, 0, true, 'nothing'],
      ],
    ],
    [
      'calls a worker frozen that leaves the question unanswered for the timeout',
      [
        [100, 0, true, 'ping'],
        [200, 0, true, 'nothing'],
        [300, 0, true, 'nothing'],
        [400, 0, true, 'nothing'],
        [500, 0, true, 'frozen'],
      ],
    ],
    [
      'asks anew after any sign of life',
      [
        [100, 0, true, 'ping'],
        [200, 150, true, 'nothing'],
        [300, 150, true, 'ping'],
        [400, 150, true, 'nothing'],
      ],
    ],
    [
      'takes an answer that came in the very millisecond of the question',
      [
        [100, 0, true, 'ping'],
        [200, 100, true, 'ping'],
        [300, 200, true, 'ping'],
        [600, 500, true, 'ping'],
        [700, 600, true, 'ping'],
      ],
    ],
    [
      'expects nothing of a worker that cannot answer, and starts over behind it',
      [
        [100, 0, true, 'ping'],
        [400, 0, false, 'nothing'],
        [800, 0, false, 'nothing'],
        [900, 0, true, 'ping'],
        [1000, 0, true, 'nothing'],
      ],
    ],
    [
      'does not blame the worker for a host that stood still',
      [
        [100, 0, true, 'ping'],
        [60_000, 0, true, 'nothing'],
        [60_100, 0, true, 'nothing'],
        [60_200, 0, true, 'frozen'],
      ],
    ],
  ];
  it.each(courses)('%s', (_, looks) => {
    const pulse = new Pulse(INTERVAL, TIMEOUT);
    for (const [nowMs, lastHeardAt, canAnswer, decision] of looks) {
      expect([nowMs, pulse.look({ nowMs, lastHeardAt, canAnswer })]).toEqual([nowMs, decision]);
    }
  });

  const course = fc.array(
    fc.record({
      waitMs: fc.integer({ min: 0, max: 400 }),
      heardMsAgo: fc.option(fc.nat(400)),
      canAnswer: fc.boolean(),
    }),
    { maxLength: 40 },
  );

  it('calls no worker frozen that was heard since the question, or could not answer', () => {
    fc.assert(
      fc.property(course, (steps) => {
        const pulse = new Pulse(INTERVAL, TIMEOUT);
        let nowMs = 0;
        let lastHeardAt = 0;
        let askedAt: number | undefined;
        for (const { waitMs, heardMsAgo, canAnswer } of steps) {
          const lastLookAt = nowMs;
          nowMs += waitMs;
          if (heardMsAgo !== null) lastHeardAt = Math.max(lastHeardAt, lastLookAt, nowMs - heardMsAgo);
          const decision = pulse.look({ nowMs, lastHeardAt, canAnswer });
          if (decision === 'ping') askedAt = nowMs;
          if (decision !== 'frozen') continue;
          expect(canAnswer).toBe(true);
          expect(askedAt).toBeDefined();
          expect(lastHeardAt).toBeLessThan(askedAt!);
          expect(nowMs - askedAt!).toBeGreaterThanOrEqual(TIMEOUT);
        }
      }),
    );
  });

  it('calls a silent worker frozen within timeout and two intervals, looked at every interval', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 500 }), fc.integer({ min: 10, max: 5_000 }), (interval, timeout) => {
        const pulse = new Pulse(interval, timeout);
        for (let nowMs = 0; nowMs <= timeout + 3 * interval; nowMs += interval) {
          if (pulse.look({ nowMs, lastHeardAt: 0, canAnswer: true }) === 'frozen') return;
        }
        throw new Error('never called frozen');
      }),
    );
  });
});
