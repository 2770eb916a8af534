// Workers killed under load, and what becomes of every single call.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createSnakepit, isSnakepitError, subscribe } from 'nestjs-snakepit/core';

import { adaptersFor } from '../support/adapters.mjs';
import { nextFullSize } from '../support/full-size.mjs';
import { randomFrom } from '../support/random.mjs';

const SIZE = 4;
const CALLERS = 64;
const CALLS_PER_KILL = 1_000;
const QUICK_CALLS_PER_KILL = 200;
const TIMEOUT_MS = 20_000;
/** How long after their deadline calls may still settle before they count as lost. */
const PATIENCE_MS = TIMEOUT_MS + 5_000;
/** A pool is whole for up to this long before its next worker is killed. */
const LONGEST_PEACE_MS = 20;

/**
 * Kills `cycles` workers with SIGKILL, shared by pools of every language and protocol (by the first where there are fewer kills), under 64
 * callers each; half of them make idempotent calls. Every worker notes each call that begins in a journal, which says afterwards what "not started" was worth.
 */
export async function run({ cycles, seed, isQuick, progress }) {
  const random = randomFrom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'chaos-journal-'));
  const ledger = new Ledger();
  try {
    const adapters = Object.entries(adaptersFor('journal', { env: { CHAOS_JOURNAL: folder } })).slice(0, cycles);
    const each = Math.ceil(cycles / adapters.length);
    for (const [name, adapter] of adapters) {
      const report = (text) => progress(`${name}: ${text}`);
      const calls = each * (isQuick ? QUICK_CALLS_PER_KILL : CALLS_PER_KILL);
      await killUnderLoad(adapter, { kills: each, calls, random, ledger, report });
    }
    return ledger.figures(startedIn(folder, ledger.calls));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function killUnderLoad(adapter, { kills, calls, random, ledger, report }) {
  const snakepit = await createSnakepit({
    adapter,
    size: SIZE,
    // Kills come faster here than any pool should put up with.
    restart: { budget: 1_000_000, windowMs: 1 },
    taint: { enabled: false },
  });
  const pool = snakepit.pool();
  const stopCounting = ledger.countOutcomes();
  const over = new AbortController();
  try {
    const callers = Array.from({ length: CALLERS }, (_, index) => caller(pool, index % 2 === 0, over.signal, ledger));
    const enough = ledger.calls + calls;
    for (let kill = 1; kill <= kills; kill += 1) {
      const whole = nextFullSize(pool);
      const { pids } = pool.stats();
      process.kill(pids[Math.floor(random() * pids.length)], 'SIGKILL');
      ledger.kills += 1;
      await whole;
      await sleep(random() * LONGEST_PEACE_MS);
      report(`${kill} of ${kills} workers killed`);
    }
    while (ledger.calls < enough) {
      report(`${enough - ledger.calls} calls to go`);
      await sleep(50);
    }
    over.abort();
    await Promise.race([Promise.all(callers), sleep(PATIENCE_MS, undefined, { ref: false })]);
  } finally {
    over.abort();
    await snakepit.close();
    stopCounting();
  }
}

async function caller(pool, idempotent, signal, ledger) {
  while (!signal.aborted) {
    const number = ledger.begin();
    try {
      const result = await pool.execute('numbered', { number }, { idempotent, timeoutMs: TIMEOUT_MS });
      ledger.succeeded(number, result);
    } catch (error) {
      ledger.failed(number, error, idempotent);
    }
  }
}

/** What the callers know of every call, by its number. */
class Ledger {
  kills = 0;
  calls = 0;
  #settled = 0;
  #outcomes = 0;
  #wrongResults = 0;
  #failedIdempotent = 0;
  #notStarted = [];
  #ran = [];
  #notes = [];

  begin() {
    this.calls += 1;
    return this.calls;
  }

  succeeded(number, result) {
    this.#settled += 1;
    this.#ran.push(number);
    if (result !== number) this.#wrongResults += 1;
  }

  failed(number, error, idempotent) {
    this.#settled += 1;
    if (!isSnakepitError(error)) throw error;
    if (error.delivery === 'not-started') this.#notStarted.push(number);
    if (error.delivery === 'ran') this.#ran.push(number);
    if (!idempotent) return;
    this.#failedIdempotent += 1;
    if (this.#notes.length < 10) this.#notes.push(`idempotent call ${number}: ${error.code} ${error.message}`);
  }

  /** Counts the outcomes that the library itself tells of. */
  countOutcomes() {
    return subscribe('snakepit:call', () => {
      this.#outcomes += 1;
    });
  }

  figures(started) {
    const wrong = [
      ...this.#notStarted.filter((number) => started[number] === 1).map((number) => `call ${number} had started`),
      ...this.#ran.filter((number) => started[number] === 0).map((number) => `call ${number} never started`),
    ];
    return {
      kills: this.kills,
      kill_calls: this.calls,
      calls_unsettled: this.calls - this.#settled,
      calls_settled_twice: Math.max(0, this.#outcomes - this.calls),
      calls_wrong_result: this.#wrongResults,
      wrong_delivery: wrong.length,
      kill_failures_idempotent: this.#failedIdempotent,
      notes: [...this.#notes, ...wrong.slice(0, 10)],
    };
  }
}

/** For every call whether a worker began it: 1 or 0, by its number. */
function startedIn(folder, calls) {
  const started = new Uint8Array(calls + 1);
  for (const file of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, file));
    for (let at = 0; at + 4 <= bytes.length; at += 4) started[bytes.readUInt32LE(at)] = 1;
  }
  return started;
}
