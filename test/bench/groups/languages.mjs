import { fileURLToPath } from 'node:url';

import { go, node, r, ruby } from 'nestjs-snakepit/core';

import { provideRuntimes } from '../../../tools/runtimes.mjs';
import { pinned } from '../support/cpus.mjs';
import { ClosedLoop } from '../support/load.mjs';
import { openPool } from '../support/pools.mjs';
import { compareLoads } from '../support/rounds.mjs';
import { formatRate } from '../support/table.mjs';

const IN_FLIGHT = 64;

const workerFile = (name) => fileURLToPath(new URL(`../workers/${name}`, import.meta.url));

/**
 * The language of each figure: its adapter, with MessagePack where the language has it, and what of `tools/runtimes.mjs` it needs.
 *
 * @type {Record<string, { adapter: () => import('nestjs-snakepit/core').ProcessAdapter, runtime?: string }>}
 */
const LANGUAGES = {
  go_x: { adapter: () => go({ package: workerFile('go'), codec: 'msgpack' }), runtime: 'go' },
  node_x: { adapter: () => node({ module: workerFile('commands.mjs'), codec: 'msgpack' }) },
  r_x: { adapter: () => r({ module: workerFile('commands.R') }), runtime: 'r' },
  ruby_x: { adapter: () => ruby({ module: workerFile('commands.rb'), codec: 'msgpack' }), runtime: 'ruby' },
};

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = Object.fromEntries(
  Object.entries(LANGUAGES).map(([key, language]) => [key, (bench) => compareWithPython(bench, language)]),
);

/** Calls per second of one worker of the language ÷ one Python worker. */
async function compareWithPython(bench, { adapter, runtime }) {
  if (runtime !== undefined) {
    try {
      provideRuntimes([runtime]);
    } catch (error) {
      return { unavailable: error.message };
    }
  }
  const pool = await bench.use(openPool({ size: 1, adapter: pinned(adapter()) }));
  const python = await bench.pool({ size: 1 });
  const loads = [pool, python].map(({ add }) => new ClosedLoop(add, IN_FLIGHT));
  const { ratios, a, b } = await compareLoads(bench, ...loads);
  return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
}
