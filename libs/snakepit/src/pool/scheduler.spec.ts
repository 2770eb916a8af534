import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CommandProfile, type Pace } from './command-profile.js';
import { EXCLUSIVE, FAST_LANE_MS, Lane, Scheduler, SHARED, type SchedulerSettings } from './scheduler.js';

function profileOf(pace: Pace, estimateUs: number, isConcurrent = false): CommandProfile {
  const profile = new CommandProfile('call', isConcurrent);
  if (pace !== 'unknown') profile.learn(pace === 'fast' ? estimateUs : 5_000 + estimateUs);
  return profile;
}

interface Booking {
  readonly lane: Lane;
  readonly profile: CommandProfile;
  readonly bookedUs: number;
}

const settingsOf = fc.record({
  window: fc.integer({ min: 1, max: 6 }),
  pipelineBudgetUs: fc.integer({ min: 0, max: 400 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
});
const command = fc.record({
  pace: fc.constantFrom<Pace>('fast', 'fast', 'slow', 'unknown'),
  estimateUs: fc.integer({ min: 0, max: 900 }),
  isConcurrent: fc.boolean(),
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('call' as const), which: fc.nat(5) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 1_500 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('add' as const), maxInFlight: fc.constantFrom(1, 3, Infinity) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('room' as const), which: fc.nat(5), hasRoom: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('claim' as const), which: fc.option(fc.nat(5)) }) },
);

/** What must hold of a lane at any time. */
function checkLane(lane: Lane, bookings: readonly Booking[], settings: SchedulerSettings): void {
  const held = bookings.filter((booking) => booking.lane === lane);
  const exclusive = held.filter(({ bookedUs }) => bookedUs === EXCLUSIVE).length;
  const shared = held.filter(({ bookedUs }) => bookedUs === SHARED).length;
  const fast = held.length - exclusive - shared;
  expect(lane.inFlight).toBe(held.length);
  expect([lane.exclusive, lane.shared, lane.fast]).toEqual([exclusive, shared, fast]);
  expect(lane.inFlight).toBeLessThanOrEqual(lane.maxInFlight);
  expect(exclusive + shared).toBeLessThanOrEqual(settings.concurrency);
  expect(exclusive).toBeLessThanOrEqual(1);
  expect(fast).toBeLessThanOrEqual(settings.window);
  // What needs a worker for itself and fast calls never have the same one.
  expect(exclusive === 0 || fast === 0).toBe(true);
  expect(lane.aheadUs).toBeGreaterThanOrEqual(0);
  if (fast === 0) expect(lane.aheadUs).toBe(0);
}

describe('Scheduler', () => {
  it('keeps its promises for any traffic', () => {
    const commands = fc.array(command, { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(
        settingsOf,
        commands,
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 80 }),
        (settings, kinds, size, steps) => {
          const scheduler = new Scheduler(settings);
          const profiles = kinds.map(({ pace, estimateUs, isConcurrent }) =>
            profileOf(pace, estimateUs, isConcurrent && settings.concurrency > 1),
          );
          for (let made = 0; made < size; made += 1)
            scheduler.add(new Lane(`w${made}`, Infinity, settings.pipelineBudgetUs));
          const bookings: Booking[] = [];
          let now = 0;
          let lastFastAt = -Infinity;
          for (const each of steps) {
            const { lanes } = scheduler;
            if (each.kind === 'wait') now += each.ms;
            else if (each.kind === 'add')
              scheduler.add(new Lane(`added at ${now}`, each.maxInFlight, settings.pipelineBudgetUs));
            else if (each.kind === 'claim') scheduler.claim(now, each.which === null ? undefined : lanes[each.which]);
            else if (each.kind === 'room') Object.assign(lanes[each.which] ?? {}, { hasRoom: each.hasRoom });
            else if (each.kind === 'remove') {
              const lane = lanes[each.which];
              if (lane === undefined || lanes.length === 1) continue;
              scheduler.remove(lane);
              scheduler.remove(lane);
            } else if (each.kind === 'end') {
              const [booking] = bookings.splice(each.which % Math.max(1, bookings.length), 1);
              if (booking !== undefined) scheduler.end(booking.lane, booking.bookedUs, now);
            } else {
              const profile = profiles[each.which]!;
              const isFast = profile.pace === 'fast';
              const idle = lanes.filter((lane) => lane.inFlight === 0 && lane.hasRoom);
              const exclusiveLanes = lanes.filter((lane) => lane.exclusive > 0).length;
              if (isFast) lastFastAt = now;
              const hasFastTraffic = now - lastFastAt < FAST_LANE_MS;
              const lane = scheduler.pick(profile, now);
              const { isShared } = profile;
              const mayUseIdle =
                isFast || isShared || lanes.length === 1 || !hasFastTraffic || exclusiveLanes < lanes.length - 1;
              if (idle.length > 0 && mayUseIdle)
                expect(lane).toSatisfy((picked: Lane | undefined) => picked?.inFlight === 0);
              if (lane === undefined) continue;
              expect(lane.hasRoom).toBe(true);
              const { inFlight, fast, aheadUs } = lane;
              expect(fast > 0 && lane.isClaimed && !isShared).toBe(false);
              if (!isFast && !isShared) expect(fast + lane.exclusive).toBe(0);
              if (inFlight > 0 && settings.concurrency === 1) expect(isFast).toBe(true);
              if (fast > 0 && isFast) {
                expect(aheadUs + profile.estimateUs).toBeLessThanOrEqual(settings.pipelineBudgetUs);
                expect(now - lane.progressAt).toBeLessThanOrEqual(5);
              }
              bookings.push({ lane, profile, bookedUs: scheduler.begin(lane, profile, now) });
              const nowExclusive = lanes.filter((other) => other.exclusive > 0).length;
              if (!isFast && !isShared && hasFastTraffic && lanes.length > 1) {
                expect(nowExclusive).toBeLessThan(lanes.length);
              }
            }
            for (const lane of new Set([...scheduler.lanes, ...bookings.map((booking) => booking.lane)])) {
              checkLane(lane, bookings, settings);
            }
          }
          for (const booking of bookings) scheduler.end(booking.lane, booking.bookedUs, now);
          // The count of exclusive lanes came out right if every lane but one takes a slow call again beside fast traffic.
          now += 10;
          for (const lane of scheduler.lanes) lane.hasRoom = true;
          scheduler.pick(profileOf('fast', 1), now);
          const slow = profileOf('slow', 0);
          let taken = 0;
          for (
            let lane = scheduler.pick(slow, now);
            lane !== undefined && lane.inFlight === 0;
            lane = scheduler.pick(slow, now)
          ) {
            scheduler.begin(lane, slow, now);
            taken += 1;
          }
          expect(taken).toBe(Math.max(1, scheduler.lanes.length - 1));
        },
      ),
    );
  });

  const settings = { window: 4, concurrency: 1 };
  const withLanes = (...names: string[]): { scheduler: Scheduler; lanes: Lane[] } => {
    const scheduler = new Scheduler(settings);
    const lanes = names.map((name) => new Lane(name, Infinity, 200));
    for (const lane of lanes) scheduler.add(lane);
    return { scheduler, lanes };
  };

  it('puts a fast call where least work lies ahead', () => {
    const { scheduler, lanes } = withLanes('a', 'b');
    scheduler.begin(lanes[0]!, profileOf('fast', 100), 0);
    scheduler.begin(lanes[1]!, profileOf('fast', 40), 0);
    expect(scheduler.pick(profileOf('fast', 10), 0)).toBe(lanes[1]);
  });

  it('fills the budget to the last microsecond and not further', () => {
    const { scheduler, lanes } = withLanes('a');
    scheduler.begin(lanes[0]!, profileOf('fast', 150), 0);
    expect(scheduler.pick(profileOf('fast', 51), 0)).toBeUndefined();
    expect(scheduler.pick(profileOf('fast', 50), 0)).toBe(lanes[0]);
  });

  it('forgets a slow call with the worker that held it, and its late end', () => {
    const { scheduler, lanes } = withLanes('a', 'b', 'c');
    const slow = profileOf('slow', 0);
    const bookedUs = scheduler.begin(lanes[0]!, slow, 0);
    scheduler.remove(lanes[0]!);
    scheduler.end(lanes[0]!, bookedUs, 1);
    scheduler.pick(profileOf('fast', 1), 1);
    scheduler.begin(scheduler.pick(slow, 1)!, slow, 1);
    expect(scheduler.pick(slow, 1)).toBeUndefined();
  });

  it('has room for a slow call again when a worker left with one', () => {
    const { scheduler, lanes } = withLanes('a', 'b', 'c');
    const slow = profileOf('slow', 0);
    scheduler.begin(lanes[0]!, slow, 0);
    scheduler.remove(lanes[0]!);
    scheduler.pick(profileOf('fast', 1), 1);
    expect(scheduler.pick(slow, 1)).toBe(lanes[1]);
  });

  it('gives nothing more to a worker that shows no progress', () => {
    const { scheduler, lanes } = withLanes('a');
    scheduler.begin(lanes[0]!, profileOf('fast', 10), 0);
    expect(scheduler.pick(profileOf('fast', 10), 5)).toBe(lanes[0]);
    expect(scheduler.pick(profileOf('fast', 10), 5.1)).toBeUndefined();
  });

  it('lets the least busy worker run empty for a slow call, which then gets it', () => {
    const { scheduler, lanes } = withLanes('a', 'b', 'c');
    const fast = profileOf('fast', 10);
    const booked = [0, 1, 1, 2, 2].map((at) => ({ lane: lanes[at]!, bookedUs: scheduler.begin(lanes[at]!, fast, 0) }));
    const slow = profileOf('slow', 0);
    expect(scheduler.pick(slow, 0)).toBeUndefined();
    scheduler.claim(0);
    scheduler.claim(0);
    expect(lanes.map((lane) => lane.isClaimed)).toEqual([true, false, false]);
    expect(scheduler.pick(fast, 0)).not.toBe(lanes[0]);
    scheduler.end(booked[0]!.lane, booked[0]!.bookedUs, 0);
    expect(scheduler.pick(slow, 0)).toBe(lanes[0]);
    scheduler.begin(lanes[0]!, slow, 0);
    expect(lanes[0]!.isClaimed).toBe(false);
  });

  it('lets a claimed worker that is idle go to a fast call when no slow one takes it', () => {
    const { scheduler, lanes } = withLanes('a');
    const fast = profileOf('fast', 10);
    const bookedUs = scheduler.begin(lanes[0]!, fast, 0);
    scheduler.claim(0);
    expect(scheduler.pick(fast, 0)).toBeUndefined();
    scheduler.end(lanes[0]!, bookedUs, 0);
    scheduler.begin(scheduler.pick(fast, 0)!, fast, 0);
    expect(scheduler.pick(fast, 0)).toBe(lanes[0]);
  });

  it('claims no worker beyond those that slow calls may hold', () => {
    const { scheduler, lanes } = withLanes('a', 'b');
    scheduler.begin(lanes[0]!, profileOf('slow', 0), 0);
    scheduler.begin(lanes[1]!, profileOf('fast', 10), 0);
    scheduler.claim(0);
    expect(lanes.map((lane) => lane.isClaimed)).toEqual([false, false]);
  });

  it('keeps a lane free for fast calls that were placed without asking which lane is best', () => {
    const { scheduler, lanes } = withLanes('a', 'b');
    // A session's call goes to its own worker, by canTake and begin.
    const bookedUs = scheduler.begin(lanes[0]!, profileOf('fast', 10), 0);
    scheduler.end(lanes[0]!, bookedUs, 1);
    const slow = profileOf('slow', 0);
    scheduler.begin(scheduler.pick(slow, 2)!, slow, 2);
    expect(scheduler.pick(slow, 2)).toBeUndefined();
    expect(scheduler.pick(slow, FAST_LANE_MS)).toBeDefined();
  });

  describe('with workers that run calls side by side', () => {
    const shared = profileOf('slow', 0, true);
    const alone = profileOf('slow', 0);
    const fast = profileOf('fast', 10);
    const open = (...names: string[]): { scheduler: Scheduler; lanes: Lane[] } => {
      const scheduler = new Scheduler({ window: 4, concurrency: 3 });
      const lanes = names.map((name) => new Lane(name, Infinity, 200));
      for (const lane of lanes) scheduler.add(lane);
      return { scheduler, lanes };
    };

    it('shares slow calls out evenly, and takes no more than there are places', () => {
      const { scheduler, lanes } = open('a', 'b');
      for (let made = 0; made < 6; made += 1) scheduler.begin(scheduler.pick(shared, 0)!, shared, 0);
      expect(lanes.map((lane) => lane.shared)).toEqual([3, 3]);
      expect(scheduler.pick(shared, 0)).toBeUndefined();
    });

    it('puts a fast call, and one that needs the worker for itself, beside them, however long they take', () => {
      const { scheduler, lanes } = open('a');
      scheduler.begin(lanes[0]!, shared, 0);
      expect(scheduler.pick(fast, 60_000)).toBe(lanes[0]);
      scheduler.begin(lanes[0]!, alone, 60_000);
      expect(scheduler.pick(fast, 60_000)).toBeUndefined();
      expect(scheduler.pick(alone, 60_000)).toBeUndefined();
      expect(scheduler.pick(shared, 60_000)).toBe(lanes[0]);
    });

    it('does not take their ends for progress of the fast calls', () => {
      const { scheduler, lanes } = open('a');
      const booked = scheduler.begin(lanes[0]!, shared, 0);
      scheduler.begin(lanes[0]!, fast, 1);
      scheduler.end(lanes[0]!, booked, 6);
      expect(scheduler.pick(fast, 6.1)).toBeUndefined();
    });

    it('keeps no worker free of them, since they leave all of them free', () => {
      const { scheduler, lanes } = open('a', 'b');
      scheduler.pick(fast, 0);
      scheduler.begin(lanes[0]!, shared, 0);
      expect(scheduler.pick(shared, 0)).toBe(lanes[1]);
    });

    it('gives a worker to a command alone that others may have died of', () => {
      const { scheduler, lanes } = open('a');
      const suspect = profileOf('slow', 0, true);
      suspect.suspect();
      scheduler.begin(lanes[0]!, suspect, 0);
      expect(scheduler.pick(suspect, 0)).toBeUndefined();
      suspect.learn(5_000);
      expect(scheduler.pick(suspect, 0)).toBe(lanes[0]);
    });
  });
});
