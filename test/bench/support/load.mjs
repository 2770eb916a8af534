import { setTimeout as sleep } from 'node:timers/promises';

import { randomNumbers } from './random.mjs';

const LOOK_MS = 50;
const STEADY_LOOKS = 3;
const LOOKS_AT_MOST = 16;
/** What is faster by less is as fast. */
const FASTER = 1.05;

/**
 * What can be measured: it counts what it has done while it runs.
 *
 * @typedef {object} Load
 * @property {number} completed
 * @property {() => void} start
 * @property {() => Promise<void>} stop resolves when nothing is in flight; rejects when a call has failed
 */

/** Keeps a number of calls in flight: each is followed by the next as soon as it is answered. */
export class ClosedLoop {
  completed = 0;
  #call;
  #inFlight;
  #isOpen = false;
  #lanes = Promise.resolve();

  /**
   * @param {() => Promise<unknown>} call
   * @param {number} inFlight
   */
  constructor(call, inFlight) {
    this.#call = call;
    this.#inFlight = inFlight;
  }

  start() {
    this.#isOpen = true;
    this.#lanes = Promise.all(Array.from({ length: this.#inFlight }, () => this.#lane()));
    this.#lanes.catch(() => {}); // `stop` tells
  }

  async stop() {
    this.#isOpen = false;
    await this.#lanes;
  }

  async #lane() {
    const call = this.#call;
    while (this.#isOpen) {
      await call();
      this.completed += 1;
    }
  }
}

/**
 * Lets a load settle, then measures it.
 *
 * @param {Load} load
 * @param {{ settleMs: number, measureMs: number, isQuick?: boolean }} times where time is short, it has settled when it gets no faster
 * @returns {Promise<{ perSecond: number, cpuUsPerCall: number }>} CPU time is that of this process
 */
export async function measureLoad(load, { settleMs, measureMs, isQuick = false }) {
  load.start();
  try {
    await (isQuick ? untilSteady(load) : sleep(settleMs));
    const before = snapshot(load);
    await sleep(measureMs);
    const after = snapshot(load);
    const calls = after.completed - before.completed;
    return {
      perSecond: (calls / (after.at - before.at)) * 1_000,
      cpuUsPerCall: (after.cpuUs - before.cpuUs) / calls,
    };
  } finally {
    await load.stop();
  }
}

/** Resolves when a load was not faster than before for some looks in turn. */
async function untilSteady(load) {
  let fastest = 0;
  let steady = 0;
  for (let looks = 0; looks < LOOKS_AT_MOST && steady < STEADY_LOOKS; looks += 1) {
    const [before, began] = [load.completed, performance.now()];
    await sleep(LOOK_MS);
    const perSecond = (load.completed - before) / (performance.now() - began);
    steady = perSecond === 0 || perSecond > FASTER * fastest ? 0 : steady + 1;
    fastest = Math.max(fastest, perSecond);
  }
}

function snapshot({ completed }) {
  const { user, system } = process.cpuUsage();
  return { completed, at: performance.now(), cpuUs: user + system };
}

/** Milliseconds that each of `count` calls takes, one after the other. */
export async function timeEach(call, count) {
  const durations = [];
  for (let index = 0; index < count; index += 1) {
    const began = performance.now();
    await call();
    durations.push(performance.now() - began);
  }
  return durations;
}

/**
 * An open loop: sends calls at their times, whatever became of those before, and returns the latency of each in milliseconds,
 * measured from the time at which it was *meant* to be sent, so that a stall counts for every call it delays.
 *
 * The event loop is polled rather than slept in: timers are too coarse, and would be measured instead of the library.
 *
 * @param {ArrayLike<number>} schedule milliseconds from the start, ascending
 * @param {() => Promise<unknown>} call
 * @param {number} settleMs calls that are meant to be sent earlier are sent, and left out
 * @returns {Promise<Float64Array>}
 */
export async function replay(schedule, call, settleMs) {
  const latencies = await replayAll(schedule, call);
  return latencies.subarray(Array.prototype.findIndex.call(schedule, (at) => at >= settleMs));
}

function replayAll(schedule, call) {
  const latencies = new Float64Array(schedule.length);
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let sent = 0;
    let answered = 0;
    const send = (index) => {
      const onAnswer = () => {
        latencies[index] = performance.now() - began - schedule[index];
        answered += 1;
        if (answered === schedule.length) resolve(latencies);
      };
      call().then(onAnswer, (error) => {
        sent = schedule.length;
        reject(error);
      });
    };
    const pump = () => {
      const now = performance.now() - began;
      while (sent < schedule.length && schedule[sent] <= now) {
        send(sent);
        sent += 1;
      }
      if (sent < schedule.length) setImmediate(pump);
    };
    pump();
  });
}

/** Evenly spaced times. */
export function everyTick(perSecond, durationMs) {
  const count = Math.round((perSecond * durationMs) / 1_000);
  return Float64Array.from({ length: count }, (_, index) => (index * 1_000) / perSecond);
}

/** Times of a Poisson process, which comes in bunches as users do; the same seed gives the same times. */
export function atRandom(perSecond, durationMs, seed) {
  const random = randomNumbers(seed);
  const times = [];
  let at = 0;
  for (;;) {
    at += (-Math.log(1 - random()) * 1_000) / perSecond;
    if (at >= durationMs) return Float64Array.from(times);
    times.push(at);
  }
}
