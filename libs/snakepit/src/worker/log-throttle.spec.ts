import { expect, it } from 'vitest';

import { ManualClock } from '../testing/manual-clock.js';
import { LogThrottle } from './log-throttle.js';

it('drops what exceeds a burst and tells how much, once a second', () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const throttle = new LogThrottle(clock, 100, (dropped) => told.push(dropped));
  const admitted = (lines: number) => Array.from({ length: lines }, () => throttle.admits()).filter(Boolean).length;
  expect(admitted(250)).toBe(100);
  expect(told).toEqual([]);
  clock.advance(1_000);
  expect(told).toEqual([150]);
  expect(admitted(130)).toBe(100);
  clock.advance(1_000);
  expect(told).toEqual([150, 30]);
});

it('lets as many lines pass as it says, for as long as no more come', () => {
  const clock = new ManualClock();
  const throttle = new LogThrottle(clock, 100, () => expect.unreachable());
  for (let line = 0; line < 1_000; line += 1) {
    expect(throttle.admits()).toBe(true);
    clock.advance(10);
  }
});

it('tells at the end what it has not told yet, and leaves no timer', () => {
  const clock = new ManualClock();
  const told: number[] = [];
  const throttle = new LogThrottle(clock, 1, (dropped) => told.push(dropped));
  for (let line = 0; line < 5; line += 1) throttle.admits();
  throttle.flush();
  clock.advance(10_000);
  expect(told).toEqual([4]);
});
