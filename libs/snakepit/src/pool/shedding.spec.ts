import { describe, expect, it } from 'vitest';

import { CommandProfile } from './command-profile.js';
import { DrainRate } from './drain-rate.js';
import { neededMs, untilRoomMs, wouldWaitInVain } from './shedding.js';

function profileOf(...tookMs: number[]): CommandProfile {
  const profile = new CommandProfile('call');
  for (const each of tookMs) {
    profile.learn(each * 1_000);
    profile.duration.learn(each, false);
  }
  return profile;
}

const steady = (ms: number): CommandProfile => profileOf(...Array.from({ length: 50 }, () => ms));

describe('what a call must have left when its turn comes', () => {
  it('is what its command takes, and little where nothing is known or the command is fast', () => {
    expect(neededMs(steady(20), 1_000)).toBeCloseTo(20, 0);
    expect(neededMs(new CommandProfile('call'), 1_000)).toBe(2);
    expect(neededMs(new CommandProfile('stream'), 1_000)).toBe(2);
    expect(neededMs(steady(0.1), 1_000)).toBe(2);
    expect(neededMs(steady(0.1), 1)).toBe(0.5);
  });

  it('has room for calls that take longer than most, up to half of their time', () => {
    const varying = profileOf(...Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? 10 : 30)));
    expect(neededMs(varying, 1_000)).toBeGreaterThan(40);
    expect(neededMs(varying, 60)).toBe(30);
  });

  it('never is all the time there is', () => {
    expect(neededMs(steady(500), 100)).toBe(90);
  });

  it('is not learned from a failure that came before the work', () => {
    const profile = steady(20);
    for (let count = 0; count < 50; count += 1) profile.duration.learn(1, true);
    expect(profile.duration.meanMs).toBeCloseTo(20, 0);
    profile.duration.learn(100, true);
    expect(profile.duration.meanMs).toBeCloseTo(30, 0);
  });
});

describe('a call that would have to wait', () => {
  const newcomer = { ahead: 100, perMs: 0.1, lastWaitMs: 500, mayWaitMs: 500 };

  it('waits in vain only behind far more calls than the queue hands out in its time', () => {
    expect(wouldWaitInVain(newcomer)).toBe(true);
    expect(wouldWaitInVain({ ...newcomer, ahead: 76 })).toBe(true);
    expect(wouldWaitInVain({ ...newcomer, ahead: 75 })).toBe(false);
  });

  it('is given the benefit of the doubt while others do not wait for long, or little is known', () => {
    expect(wouldWaitInVain({ ...newcomer, lastWaitMs: 300 })).toBe(false);
    expect(wouldWaitInVain({ ...newcomer, perMs: undefined })).toBe(false);
    expect(wouldWaitInVain({ ...newcomer, mayWaitMs: Infinity })).toBe(false);
  });
});

describe('DrainRate', () => {
  const handOut = (rate: DrainRate, calls: number, fromMs: number, everyMs: number): void => {
    for (let n = 0; n < calls; n += 1) rate.onHandedOut(fromMs + n * everyMs, 1);
  };

  it('says nothing before sixteen calls and a tenth of a second', () => {
    const rate = new DrainRate();
    handOut(rate, 16, 0, 10);
    expect(rate.perMs(1_000)).toBeUndefined();
    handOut(rate, 1, 160, 10);
    expect(rate.perMs(160)).toBeCloseTo(0.1);
    const bunch = new DrainRate();
    handOut(bunch, 1_000, 0, 0.01);
    expect(bunch.perMs(10)).toBeUndefined();
  });

  it('follows the calls of late, and falls while none is handed out', () => {
    const rate = new DrainRate();
    handOut(rate, 100, 0, 10);
    handOut(rate, 400, 1_000, 1);
    expect(rate.perMs(1_400)).toBeCloseTo(1, 1);
    expect(rate.perMs(3_000)).toBeLessThan(0.2);
  });

  it('forgets when its queue runs empty', () => {
    const rate = new DrainRate();
    handOut(rate, 100, 0, 10);
    rate.restart();
    expect([rate.perMs(1_001), rate.lastWaitMs]).toEqual([undefined, 0]);
    handOut(rate, 10, 5_000, 10);
    expect(rate.perMs(5_100)).toBeUndefined();
  });
});

describe('untilRoomMs', () => {
  const queue = { ahead: 10, perMs: undefined, meanMs: 0, workers: 2 };

  it('goes by how fast the queue is', () => {
    expect(untilRoomMs({ ...queue, perMs: 0.03, meanMs: 7 })).toBe(334);
    expect(untilRoomMs({ ...queue, ahead: 0, perMs: 1 })).toBe(0);
  });

  it('goes by how long such calls take where the queue tells nothing', () => {
    expect(untilRoomMs({ ...queue, meanMs: 300 })).toBe(1_650);
  });

  it('knows nothing of a command that has not run, and of a pool without workers', () => {
    expect(untilRoomMs(queue)).toBeUndefined();
    expect(untilRoomMs({ ...queue, meanMs: 300, workers: 0 })).toBeUndefined();
  });
});
