// Faults of every kind thrown at pools under load, and whether they put up with them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createSnakepit, isSnakepitError, node, python, subscribe } from 'nestjs-snakepit/core';

import { bridgePackages } from '../../../tools/python-packages.mjs';
import { LANES, POOL_OPTIONS, workerOptions } from '../../integration/faults/lanes.mjs';
import { FAULTS } from '../../integration/faults/matrix.mjs';
import { isAlive } from '../support/processes.mjs';
import { randomFrom } from '../support/random.mjs';

const SIZE = 3;
const CALLERS = 16;
const TIMEOUT_MS = 10_000;
/** How long after their deadline calls may still settle before they count as lost. */
const PATIENCE_MS = TIMEOUT_MS + 5_000;
/** How long a pool may take to be whole after the last fault. */
const RECOVERY_MS = 30_000;
const LONGEST_PEACE_MS = 50;
const POLL_MS = 5;

/** Throws `cycles` faults of the matrix that the integration tests go through one by one, in an order that the seed decides. */
export async function run({ cycles, seed, progress }) {
  const random = randomFrom(seed);
  const scratch = mkdtempSync(join(tmpdir(), 'chaos-faults-'));
  const tally = new Tally();
  const forget = subscribe('snakepit:worker', ({ pid }) => pid !== undefined && tally.pids.add(pid));
  try {
    for (const [index, lane] of LANES.entries()) {
      const share = Math.floor((cycles * (index + 1)) / LANES.length) - Math.floor((cycles * index) / LANES.length);
      if (share === 0) continue;
      const report = (done) => progress(`${lane.name}: ${done} of ${share} faults`);
      await throwFaults(lane, { share, random, scratch, tally, report });
    }
    const left = [...tally.pids].filter(isAlive);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    return {
      faults_injected: tally.injected,
      fault_calls: tally.calls,
      fault_calls_unsettled: tally.calls - tally.settled,
      fault_calls_wrong: tally.wrong,
      fault_pools_dead: tally.dead,
      fault_processes_left: left.length,
      notes: tally.notes,
    };
  } finally {
    forget();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function throwFaults(lane, { share, random, scratch, tally, report }) {
  const options = workerOptions(lane, bridgePackages());
  const adapter = lane.language === 'python' ? python(options) : node(options);
  const snakepit = await createSnakepit({ adapter, ...POOL_OPTIONS, size: SIZE, timeoutMs: TIMEOUT_MS });
  const pool = snakepit.pool();
  const possible = FAULTS.filter(({ leftOut = {} }) => leftOut[lane.name] === undefined);
  const over = new AbortController();
  let files = 0;
  const file = () => join(scratch, `${lane.language}-${lane.protocol}-${(files += 1)}`);
  try {
    const callers = Array.from({ length: CALLERS }, (_, number) => caller(pool, number, over.signal, tally));
    const faults = [];
    for (let done = 0; done < share; done += 1) {
      const fault = possible[Math.floor(random() * possible.length)];
      faults.push(tally.fault(fault.name, async () => fault.provoke(pool, file, lane)));
      await sleep(random() * LONGEST_PEACE_MS);
      report(done + 1);
    }
    await inTime(Promise.all(faults), PATIENCE_MS);
    over.abort();
    await inTime(Promise.all(callers), PATIENCE_MS);
    if (!(await isWholeIn(pool, RECOVERY_MS))) {
      tally.dead += 1;
      tally.notes.push(`${lane.name}: ${JSON.stringify(pool.stats())} ${pool.lastFailure?.message ?? ''}`);
    }
  } finally {
    over.abort();
    await snakepit.close();
  }
}

/** Half of the callers make calls that may be made again. */
async function caller(pool, a, signal, tally) {
  for (let b = 0; !signal.aborted; b += 1) {
    const isAnswered = await tally.call(a + b, () => pool.execute('add', { a, b }, { idempotent: a % 2 === 0 }));
    // A pool that is down must not be asked without a pause.
    if (!isAnswered) await sleep(POLL_MS);
  }
}

/** What becomes of faults and calls. */
class Tally {
  injected = 0;
  calls = 0;
  settled = 0;
  wrong = 0;
  dead = 0;
  pids = new Set();
  notes = [];

  /** Whether the call was answered. */
  async call(expected, make) {
    const { value, error } = await this.#settle('add', make);
    if (error === undefined && value !== expected) this.#count(`add gave ${value} instead of ${expected}`);
    return error === undefined;
  }

  /** One whose call did not reach a worker was none. */
  async fault(name, provoke) {
    const { error } = await this.#settle(name, provoke);
    if (error?.delivery !== 'not-started') this.injected += 1;
  }

  async #settle(what, make) {
    this.calls += 1;
    try {
      return { value: await make() };
    } catch (error) {
      if (!isSnakepitError(error)) this.#count(`${what} ended with ${error?.stack ?? error}`);
      return { error };
    } finally {
      this.settled += 1;
    }
  }

  #count(note) {
    this.wrong += 1;
    if (this.notes.length < 10) this.notes.push(note);
  }
}

function inTime(work, ms) {
  return Promise.race([work, sleep(ms, undefined, { ref: false })]);
}

async function isWholeIn(pool, ms) {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline) {
    if (pool.status === 'up' && pool.stats().available === SIZE) return true;
    await sleep(POLL_MS);
  }
  return false;
}
