// What it takes to get rid of a worker in which a command hangs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createSnakepit, isSnakepitError, python, subscribe } from 'nestjs-snakepit/core';

const MODULE = fileURLToPath(new URL('../../fixtures/integration/hangs.py', import.meta.url));
const GRACE_MS = 200;
const TIMEOUT_MS = 150;
/** A command that blocks, one that loops in Python, and one that holds the interpreter's lock in C. */
const WAYS = ['hang', 'spin', 'hold_gil'];

/**
 * From the deadline of a hanging call to a fresh worker that is ready, over `rounds` hangs of each way; `figures` are milliseconds.
 *
 * The time the caller waits beyond its deadline, for the stacks of the worker, is measured too, and how many errors had them.
 */
export async function measureHangs({ rounds = 10, killGraceMs = 1_000, progress = () => {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'snakepit-hangs-'));
  const pools = { default: { adapter: python({ module: MODULE }), size: 1, cancelGraceMs: GRACE_MS, killGraceMs } };
  const snakepit = await createSnakepit({ pools });
  try {
    const hangs = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const way of WAYS) {
        hangs.push(await hangOnce(snakepit.pool(), way, join(folder, `${way}-${round}`)));
        progress(`hangs: ${hangs.length} of ${rounds * WAYS.length}`);
      }
    }
    const replacedMs = hangs.map((each) => each.replacedMs);
    return {
      hung_replaced_ms_max: Math.max(...replacedMs),
      hung_replaced_ms_limit: GRACE_MS + 500,
      hung_settled_late_ms_max: Math.max(...hangs.map((each) => each.settledLateMs)),
      hung_with_stacks: hangs.filter((each) => each.hasStacks).length / hangs.length,
    };
  } finally {
    await snakepit.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function hangOnce(pool, way, path) {
  const fresh = nextReady();
  const deadline = performance.now() + TIMEOUT_MS;
  const error = await pool.execute(way, { path }, { timeoutMs: TIMEOUT_MS }).catch((thrown) => thrown);
  const settledLateMs = performance.now() - deadline;
  if (!isSnakepitError(error, 'CALL_TIMEOUT')) throw new Error(`'${way}' ended otherwise: ${error}`);
  const replacedMs = (await fresh) - deadline;
  await pool.execute('pid');
  return { replacedMs, settledLateMs, hasStacks: error.details.workerStacks !== undefined };
}

/** When the next worker becomes ready. */
function nextReady() {
  return new Promise((resolve) => {
    const unsubscribe = subscribe('snakepit:worker', ({ to }) => {
      if (to !== 'ready') return;
      unsubscribe();
      resolve(performance.now());
    });
  });
}

export async function run({ cycles, progress }) {
  return measureHangs({ rounds: cycles, progress });
}
