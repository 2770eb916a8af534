import { describe, expect, it } from 'vitest';

import type { Channel, ChannelCall } from '../channel/index.js';
import { resolveOptions, silentLog } from '../core/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { Adapter, Worker } from '../worker/index.js';
import { settingsOf } from './call-options.js';
import { CommandProfile } from './command-profile.js';
import { Dispatcher } from './dispatcher.js';
import { poolOptionTable } from './options.js';
import { PoolCall } from './pool-call.js';

/** Calls of one command, evenly spaced unless they are a Poisson process. */
interface Traffic {
  readonly command: string;
  readonly perSecond: number;
  readonly isPoisson?: boolean;
  /** How long the next call runs; `atMs` since the start. */
  readonly serviceUs: (atMs: number) => number;
}

/** How long calls took from being made to being answered. */
class Latencies {
  readonly #ms: number[] = [];

  get count(): number {
    return this.#ms.length;
  }

  add(ms: number): void {
    this.#ms.push(ms);
  }

  quantile(share: number): number {
    const sorted = this.#ms.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  }
}

const adapter: Adapter = { name: 'none', prepare: () => Promise.reject(new Error('never launched')) };

/** From the host's write until an idle worker runs the call. */
const WAKE_UP_MS = 0.03;
/** What a worker reports of a call that ran for so long or longer. */
const MAX_SERVICE_US = 65_535;

/**
 * The real dispatcher, scheduler and profiles before workers whose service times are given, under a clock that is set by hand: what
 * the policy does with some traffic, without the noise of a machine.
 *
 * A worker runs its calls one after the other, in order, and answers each when it is done.
 */
class SimulatedPool {
  readonly #clock = new ManualClock();
  readonly #profiles = new Map<string, CommandProfile>();
  readonly #serviceUs = new WeakMap<ChannelCall, number>();
  readonly #dispatcher: Dispatcher;

  constructor({ size, ...options }: { readonly size: number; readonly window?: number }) {
    this.#dispatcher = new Dispatcher({
      name: 'pool',
      instance: 'test',
      options: resolveOptions(poolOptionTable, { adapter, maxQueue: 1_000_000, queueTimeoutMs: 60_000, ...options }),
      affinity: { lastWorkerOf: () => undefined, rememberWorker: () => {} },
      clock: this.#clock,
      log: silentLog,
      soon: (task) => task(),
      refusal: () => undefined,
      mayGrow: () => false,
      onNestedWait: () => {},
    });
    for (let index = 0; index < size; index += 1) this.#dispatcher.seat(this.#newWorker(`pool-${index}`));
  }

  profileOf(command: string): CommandProfile {
    const known = this.#profiles.get(command);
    if (known !== undefined) return known;
    const profile = new CommandProfile('call');
    this.#profiles.set(command, profile);
    return profile;
  }

  /** Runs the traffic, and then until everything is answered. */
  run(traffic: readonly Traffic[], durationMs: number): Latencies[] {
    const end = this.#clock.now() + durationMs;
    const latencies = traffic.map((each, seed) => this.#start(each, end, randomNumbers(seed)));
    this.#clock.advance(durationMs);
    for (let waited = 0; this.#dispatcher.open > 0; waited += 100) {
      if (waited > 600_000) throw new Error(`${this.#dispatcher.open} calls are never answered`);
      this.#clock.advance(100);
    }
    return latencies;
  }

  #start({ command, perSecond, isPoisson = false, serviceUs }: Traffic, end: number, random: () => number): Latencies {
    const latencies = new Latencies();
    const meanMs = 1_000 / perSecond;
    const start = this.#clock.now();
    const next = (): void => {
      const delayMs = isPoisson ? -Math.log(1 - random()) * meanMs : meanMs;
      if (this.#clock.now() + delayMs > end) return;
      this.#clock.after(delayMs, () => {
        this.#call(command, serviceUs(this.#clock.now() - start), latencies);
        next();
      });
    };
    next();
    return latencies;
  }

  #call(command: string, serviceUs: number, latencies: Latencies): void {
    const admittedAt = this.#clock.now();
    const fail = (): never => {
      throw new Error(`a call of '${command}' did not give a value`);
    };
    const onValue = (): void => latencies.add(this.#clock.now() - admittedAt);
    const listener = { onValue, onError: fail, onChunk: fail, onEnd: fail };
    const call = new PoolCall({
      owner: this.#dispatcher,
      command,
      args: null,
      settings: settingsOf(command, 'pool', {}),
      profile: this.profileOf(command),
      admittedAt,
      timeoutMs: 600_000,
      listener,
    });
    this.#serviceUs.set(call, serviceUs);
    this.#dispatcher.admit(call);
  }

  #newWorker(id: string): Worker {
    const inHand: ChannelCall[] = [];
    const runNext = (wakeUpMs: number): void => {
      const [call] = inHand;
      if (call === undefined) return;
      const serviceUs = this.#serviceUs.get(call)!;
      this.#clock.after(wakeUpMs + serviceUs / 1_000, () => {
        const wasLast = inHand.length === 1;
        call.onResult(null, Math.min(serviceUs, MAX_SERVICE_US));
        inHand.shift();
        runNext(wasLast ? WAKE_UP_MS : 0);
      });
    };
    const send = (call: ChannelCall): number => {
      inHand.push(call);
      if (inHand.length === 1) runNext(WAKE_UP_MS);
      return inHand.length;
    };
    const clock = this.#clock;
    const channel: Partial<Channel> = {
      maxInFlight: Infinity,
      pipelineBudgetUs: 200,
      get lastHeardAt() {
        return clock.now();
      },
      send,
      cancel: () => true,
    };
    return { id, channel, state: { kind: 'ready' } } as unknown as Worker;
  }
}

/** Mulberry32: numbers from 0 up to 1, always the same ones for a seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const FAST_US = 5;
const add: Traffic = { command: 'add', perSecond: 20_000, serviceUs: () => FAST_US };
/** As long as 12 of them a second hold more than half a worker, and come in bunches. */
const slow: Traffic = { command: 'slow', perSecond: 12, isPoisson: true, serviceUs: () => 50_000 };
const SECONDS = 3;

function run(size: number, ...traffic: Traffic[]) {
  return new SimulatedPool({ size }).run(traffic, SECONDS * 1_000);
}

/** Calls that the operating system interrupts now and then. */
function interrupted(share: number, ms: number, seed: number): Traffic {
  const random = randomNumbers(seed);
  return { ...add, serviceUs: () => FAST_US + (random() < share ? ms * 1_000 : 0) };
}

describe('fast calls beside slow ones', () => {
  it.each([2, 3, 8])('pass them by in a pool of %i workers', (size) => {
    const [fast, other] = run(size, add, slow);
    expect(fast!.quantile(0.999)).toBeLessThan(0.2);
    expect(other!.quantile(0.5)).toBeLessThan(size === 2 ? 100 : 51);
  });

  it('wait for them only where there is a single worker', () => {
    const [fast, other] = run(1, { ...add, perSecond: 5_000 }, { ...slow, perSecond: 4 });
    expect(fast!.quantile(0.5)).toBeLessThan(0.2);
    expect(fast!.quantile(1)).toBeGreaterThan(40);
    // Two slow calls one after the other; all the fast ones that came meanwhile take no time to speak of.
    expect(other!.quantile(1)).toBeLessThan(200);
  });

  it.each([
    { share: 1e-4, ms: 4, p99: 0.2, p999: 4 },
    { share: 1e-4, ms: 20, p99: 12, p999: 20 },
    { share: 1e-3, ms: 4, p99: 4, p999: 16 },
    { share: 5e-3, ms: 2, p99: 4, p999: 10 },
  ])(
    'are delayed by interruptions of their own, not by slow calls, when a share of $share is interrupted for $ms ms',
    (given) => {
      for (let seed = 0; seed < 8; seed += 1) {
        const [fast] = run(3, interrupted(given.share, given.ms, seed * 77 + 1), slow);
        expect(fast!.quantile(0.99)).toBeLessThan(given.p99);
        expect(fast!.quantile(0.999)).toBeLessThan(given.p999);
      }
    },
  );

  it('pass by a command of which one call in thirty is long', () => {
    const random = randomNumbers(1);
    const serviceUs = (): number => (random() < 1 / 30 ? 50_000 : 50);
    const [fast, bimodal] = run(3, add, { command: 'bimodal', perSecond: 300, serviceUs });
    expect(fast!.quantile(0.99)).toBeLessThan(0.2);
    expect(bimodal!.quantile(0.5)).toBeLessThan(0.2);
  });

  it('suffer for a moment only from a command that becomes slow', () => {
    const serviceUs = (atMs: number): number => (atMs < 1_000 ? 50 : 20_000);
    const [fast] = run(3, add, { command: 'changing', perSecond: 60, serviceUs });
    expect(fast!.quantile(0.99)).toBeLessThan(0.2);
  });
});

describe('slow calls beside fast ones', () => {
  it.each([1, 2, 3])('get their turn while more fast calls come than %i workers can run', (size) => {
    // The queue is up to 100 ms long; behind it, the slow calls would wait for their turn until the fast ones end.
    const flood: Traffic = { command: 'add', perSecond: 150_000 * size, serviceUs: () => 9 };
    const rare: Traffic = { command: 'slow', perSecond: 20, serviceUs: () => 5_000 };
    const [fast, other] = new SimulatedPool({ size }).run([flood, rare], 290);
    expect(other!.count).toBe(5);
    expect(other!.quantile(1)).toBeLessThan(fast!.quantile(1) + 10);
    // By its age, each call waits as long as the fast ones around it.
    expect(other!.quantile(0.2)).toBeLessThan(fast!.quantile(0.5));
  });
});
