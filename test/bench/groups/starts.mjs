import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { addInNewProcess } from '../peers/process-per-call.mjs';
import { descendants } from '../support/cpus.mjs';
import { zygoteOptions } from '../support/features.mjs';
import { ClosedLoop } from '../support/load.mjs';
import { openPool, pythonAdapter } from '../support/pools.mjs';
import { alternate, compareLoads } from '../support/rounds.mjs';
import { formatNumber, formatRate } from '../support/table.mjs';

const WORKERS = 3;
const IN_FLIGHT = 64;
const NUMPY_WORKERS = 16;
const NUMPY_COMMANDS = fileURLToPath(new URL('../workers/numpy_commands.py', import.meta.url));
const UNAVAILABLE = { unavailable: 'the library has no zygote' };

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  async zygote_start_x(bench) {
    const zygote = zygoteOptions();
    if (zygote === undefined) return UNAVAILABLE;
    const { isQuick } = bench.settings;
    const spawned = async () => (isQuick ? (await startNumpyWorkers({}, bench.settings)).startMs : addNumpyWorkers({}));
    const { ratios, a, b } = await alternate(bench, { a: spawned, b: () => addNumpyWorkers(zygote) });
    return { samples: ratios, detail: `${formatNumber(a)} ms ÷ ${formatNumber(b)} ms` };
  },

  async zygote_cold_start_x(bench) {
    const zygote = zygoteOptions();
    if (zygote === undefined) return UNAVAILABLE;
    const startMs = async (options) => (await startNumpyWorkers(options, bench.settings)).startMs;
    const { ratios, a, b } = await alternate(bench, { a: () => startMs({}), b: () => startMs(zygote) });
    return { samples: ratios, detail: `${formatNumber(a)} ms ÷ ${formatNumber(b)} ms` };
  },

  async zygote_pss_x(bench) {
    const zygote = zygoteOptions();
    if (zygote === undefined) return UNAVAILABLE;
    const pssMb = async (options) => (await startNumpyWorkers(options, bench.settings)).pssMb;
    const { ratios, a, b } = await alternate(bench, { a: () => pssMb(zygote), b: () => pssMb({}) });
    return { samples: ratios, detail: `${formatNumber(a)} MB ÷ ${formatNumber(b)} MB` };
  },

  async spawn_per_call_x(bench) {
    const pool = await bench.pool({ size: WORKERS });
    const ours = new ClosedLoop(pool.add, WORKERS * IN_FLIGHT);
    const spawned = new ClosedLoop(addInNewProcess, WORKERS);
    const { ratios, a, b } = await compareLoads(bench, ours, spawned);
    return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
  },
};

/** From the call that makes 16 more workers on a pool that runs until they are ready: its zygote, if any, has imported numpy. */
async function addNumpyWorkers(options) {
  const adapter = pythonAdapter({ module: NUMPY_COMMANDS, ...options });
  const pool = await openPool({ size: 1, adapter });
  try {
    const began = performance.now();
    await pool.resize(1 + NUMPY_WORKERS);
    return performance.now() - began;
  } finally {
    await pool.close();
  }
}

/** Where time is short, one start tells of both time and memory; without a zygote, workers that are added start as the first ones do. */
const quickStarts = new Map();

function startNumpyWorkers(options, { isQuick }) {
  if (!isQuick) return measureStart(options);
  const key = JSON.stringify(options);
  if (!quickStarts.has(key)) quickStarts.set(key, measureStart(options));
  return quickStarts.get(key);
}

/** From the call that makes the pool until every worker is ready; then the memory of all processes below the host. */
async function measureStart(options) {
  const before = new Set(descendants());
  const began = performance.now();
  const adapter = pythonAdapter({ module: NUMPY_COMMANDS, ...options });
  const pool = await openPool({ size: NUMPY_WORKERS, adapter });
  try {
    const startMs = performance.now() - began;
    await Promise.all(Array.from({ length: NUMPY_WORKERS }, () => pool.execute('mean', { values: [1, 2] })));
    const pids = descendants().filter((pid) => !before.has(pid));
    return { startMs, pssMb: pids.reduce((sum, pid) => sum + pssKb(pid), 0) / 1024 };
  } finally {
    await pool.close();
  }
}

function pssKb(pid) {
  const [, kilobytes] = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+) kB$/m);
  return Number(kilobytes);
}
