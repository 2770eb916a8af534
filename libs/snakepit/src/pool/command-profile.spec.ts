import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CommandProfile, LONG_US } from './command-profile.js';

/** A command of which many short calls are known. */
function shortCommand(serviceUs = 20): CommandProfile {
  const profile = new CommandProfile('call');
  learnTimes(profile, 200, serviceUs);
  return profile;
}

function learnTimes(profile: CommandProfile, times: number, serviceUs: number): void {
  for (let count = 0; count < times; count += 1) profile.learn(serviceUs);
}

/** How many calls of this length it takes until the command has this pace. */
function callsUntil(profile: CommandProfile, pace: string, serviceUs: number): number {
  for (let calls = 0; calls < 10_000; calls += 1) {
    if (profile.pace === pace) return calls;
    profile.learn(serviceUs);
  }
  throw new Error(`calls of ${serviceUs} µs never made the command ${pace}`);
}

describe('CommandProfile', () => {
  it('knows nothing of a new command', () => {
    const profile = new CommandProfile('call');
    expect([profile.pace, profile.estimateUs]).toEqual(['unknown', 0]);
  });

  it('takes the first measurement as it is', () => {
    const profile = new CommandProfile('call');
    profile.learn(40);
    expect([profile.pace, profile.estimateUs]).toEqual(['fast', 40]);
    const slow = new CommandProfile('call');
    slow.learn(1_200);
    expect(slow.pace).toBe('slow');
  });

  it('stays fast after any single call of up to 30 ms, and is put before nothing for a while', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LONG_US }), fc.integer({ min: 1_001, max: 30_000 }), (shortUs, longUs) => {
        const profile = shortCommand(shortUs);
        profile.learn(longUs);
        expect(profile.pace).toBe('fast');
        expect(profile.estimateUs).toBeGreaterThanOrEqual(500);
        expect(profile.estimateUs).toBeLessThanOrEqual(LONG_US);
      }),
    );
  });

  it('stays fast when one call in a thousand is interrupted for 4 ms', () => {
    const profile = shortCommand();
    for (let call = 0; call < 20_000; call += 1) {
      profile.learn(call % 1_000 === 0 ? 4_000 : 20);
      expect(profile.pace).toBe('fast');
    }
  });

  it('is short again within twenty calls after a single long one', () => {
    const profile = shortCommand();
    profile.learn(10_000);
    learnTimes(profile, 20, 20);
    expect(profile.estimateUs).toBeLessThan(200);
  });

  it('takes little notice of calls that are longer by less than those behind them would mind', () => {
    const profile = shortCommand(1);
    for (let call = 0; call < 2_000; call += 1) {
      profile.learn(call % 100 === 0 ? 40 : 1);
      expect(profile.estimateUs).toBeLessThan(4);
    }
    profile.learn(400);
    expect(profile.estimateUs).toBeGreaterThan(100);
  });

  it('comes to what its calls take on average where that is short', () => {
    const profile = shortCommand(1);
    learnTimes(profile, 80, 90);
    expect(profile.estimateUs).toBeGreaterThan(80);
  });

  it('becomes slow within a few calls when a fast command really has become slow, the sooner the longer they are', () => {
    expect(callsUntil(shortCommand(), 'slow', 50_000)).toBe(1);
    expect(callsUntil(shortCommand(), 'slow', 20_000)).toBe(2);
    expect(callsUntil(shortCommand(), 'slow', 5_000)).toBe(7);
    expect(callsUntil(shortCommand(), 'slow', 1_100)).toBeLessThan(35);
  });

  it('becomes fast again within 120 short calls, however slow it was', () => {
    const profile = new CommandProfile('call');
    learnTimes(profile, 1_000, 65_535);
    expect(callsUntil(profile, 'fast', 20)).toBeLessThanOrEqual(120);
  });

  it('takes a command for slow of which one call in a hundred takes 50 ms, most of the time', () => {
    const profile = shortCommand();
    let slow = 0;
    for (let call = 0; call < 10_000; call += 1) {
      profile.learn(call % 100 === 0 ? 50_000 : 50);
      if (profile.pace === 'slow') slow += 1;
    }
    expect(slow).toBeGreaterThan(7_000);
  });

  it('calls no command slow whose calls take up to 1 ms', () => {
    const profile = new CommandProfile('call');
    learnTimes(profile, 1_000, LONG_US);
    expect([profile.pace, profile.estimateUs]).toEqual(['fast', LONG_US]);
  });

  it('learns from failures only what makes it more careful', () => {
    const slow = new CommandProfile('call');
    slow.learn(50_000);
    for (let count = 0; count < 500; count += 1) slow.learn(10, true);
    expect(slow.pace).toBe('slow');

    const fast = shortCommand(100);
    fast.learn(10, true);
    expect(fast.estimateUs).toBe(100);
    fast.learn(900, true);
    expect(fast.estimateUs).toBe(500);

    const unknown = new CommandProfile('call');
    unknown.learn(10, true);
    expect(unknown.pace).toBe('fast');
  });

  it('takes every stream for slow, whatever is measured', () => {
    const profile = new CommandProfile('stream');
    profile.learn(1);
    expect([profile.pace, profile.estimateUs]).toEqual(['slow', 0]);
  });
});
