// What a pool still achieves when three times as many calls come as it can run.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createSnakepit, isSnakepitError, python } from 'nestjs-snakepit/core';

import { randomFrom } from '../support/random.mjs';

const MODULE = fileURLToPath(new URL('../workers/overload.py', import.meta.url));
const WORKERS = 2;
/** A few milliseconds of hashing; each call takes between half and one and a half of it. */
const WORK_ROUNDS = 12_000;
const TIMEOUT_MS = 200;
const OVERLOAD = 3;
/** One call in ten is of high priority: together they are less than a third of what the pool can run. */
const HIGH_SHARE = 0.1;
const TICK_MS = 2;
/** What a caller may be told in time; anything else would be a fault of the pool. */
const REFUSALS = new Set(['POOL_SATURATED', 'QUEUE_TIMEOUT', 'CALL_TIMEOUT']);

/**
 * Goodput, calls answered within their deadline per second, under three times the load that the pool can take, divided by its goodput at
 * capacity; medians of alternating rounds. The same without shedding shows what it is worth.
 *
 * The load is an open loop: calls come at their times whatever became of those before. `overload_high_in_time` is the share of calls of
 * high priority that were answered in time.
 */
export async function measureOverload({ rounds = 5, seconds = 3, seed = 1, progress = () => {} } = {}) {
  const shedding = await openPool({ shedding: true });
  const plain = await openPool({ shedding: false });
  try {
    for (const { pool } of [shedding, plain]) await atCapacity(pool, 0.5, seed);
    const done = [];
    for (let round = 0; round < rounds; round += 1) {
      done.push(await oneRound({ shedding: shedding.pool, plain: plain.pool, seconds, seed: seed + round }));
      progress(`overload: ${round + 1} of ${rounds} rounds`);
    }
    const medianOf = (figure) => median(done.map(figure));
    return {
      overload_goodput_x: medianOf(({ shed, capacity }) => shed.goodput / capacity),
      overload_goodput_x_min: Math.min(...done.map(({ shed, capacity }) => shed.goodput / capacity)),
      overload_goodput_unshed_x: medianOf(({ unshed, capacity }) => unshed.goodput / capacity),
      overload_high_in_time: medianOf(({ shed }) => shed.highInTime),
      overload_refused_after_ms_p50: medianOf(({ shed }) => shed.refusedAfterMs),
      overload_capacity_per_s: medianOf(({ capacity }) => capacity),
      overload_outcomes: done.at(-1).shed.outcomes,
    };
  } finally {
    await Promise.all([shedding, plain].map(({ snakepit }) => snakepit.close()));
  }
}

async function openPool(options) {
  const snakepit = await createSnakepit({ adapter: python({ module: MODULE }), size: WORKERS, ...options });
  return { snakepit, pool: snakepit.pool() };
}

/** Capacity before and after, so that what else the machine does hits all alike. */
async function oneRound({ shedding, plain, seconds, seed }) {
  const before = await atCapacity(shedding, seconds / 2, seed);
  const shed = await atOverload(shedding, before * OVERLOAD, seconds, seed);
  const between = await atCapacity(shedding, seconds / 2, seed);
  const unshed = await atOverload(plain, before * OVERLOAD, seconds, seed);
  return { capacity: (before + between) / 2, shed, unshed };
}

/** Calls a second that are answered in time while each worker always has one in hand and one waits for it. */
async function atCapacity(pool, seconds, seed) {
  const draw = randomFrom(seed);
  const began = performance.now();
  const end = began + seconds * 1_000;
  let answered = 0;
  const lane = async () => {
    while (performance.now() < end) {
      // A machine that stands still for a while makes calls late here, too.
      if (isInTime(await outcomeOf(pool, draw, 'normal'))) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 2 * WORKERS }, lane));
  return (answered / (performance.now() - began)) * 1_000;
}

async function atOverload(pool, perSecond, seconds, seed) {
  const draw = randomFrom(seed + 1_000);
  const began = performance.now();
  const calls = [];
  for (let passed = 0; passed < seconds; passed = (performance.now() - began) / 1_000) {
    while (calls.length < passed * perSecond) calls.push(outcomeOf(pool, draw));
    await sleep(TICK_MS);
  }
  const tookSeconds = (performance.now() - began) / 1_000;
  const outcomes = await Promise.all(calls);
  const inTime = outcomes.filter(isInTime);
  const high = outcomes.filter(({ priority }) => priority === 'high');
  const refused = outcomes.filter(({ code }) => code !== undefined);
  return {
    goodput: inTime.length / tookSeconds,
    highInTime: high.filter(isInTime).length / high.length,
    refusedAfterMs: refused.length === 0 ? 0 : median(refused.map(({ tookMs }) => tookMs)),
    outcomes: countBy(outcomes.map(({ code }) => code ?? 'answered')),
  };
}

const isInTime = ({ code, tookMs }) => code === undefined && tookMs <= TIMEOUT_MS;

async function outcomeOf(pool, draw, priority = draw() < HIGH_SHARE ? 'high' : 'normal') {
  const began = performance.now();
  try {
    await call(pool, draw, priority);
    return { priority, tookMs: performance.now() - began };
  } catch (error) {
    if (!isSnakepitError(error) || !REFUSALS.has(error.code)) throw error;
    return { priority, code: error.code, tookMs: performance.now() - began };
  }
}

function call(pool, draw, priority) {
  const rounds = Math.round(WORK_ROUNDS * (0.5 + draw()));
  return pool.execute('work', { rounds }, { timeoutMs: TIMEOUT_MS, priority });
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function countBy(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

export async function run({ cycles, seed, isQuick, progress }) {
  const { overload_outcomes: _, ...figures } = await measureOverload({
    rounds: cycles,
    seconds: isQuick ? 0.6 : 3,
    seed,
    progress,
  });
  return figures;
}
