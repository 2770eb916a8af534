import { measureLoad } from './load.mjs';
import { median } from './statistics.mjs';

/**
 * What a figure's function is given.
 *
 * @typedef {object} Bench
 * @property {Settings} settings
 * @property {<T extends { close(): unknown }>(opening: T | Promise<T>) => Promise<T>} use keeps what was opened and closes it
 * when the figure is done
 * @property {(options: object) => Promise<Awaited<ReturnType<typeof import('./pools.mjs').openPool>>>} pool a pool of Python workers,
 * of the figure's own but where time is short
 * @property {(text: string) => void} progress
 */

/**
 * @typedef {object} Settings
 * @property {boolean} isQuick
 * @property {number} rounds
 * @property {number} warmMs
 * @property {number} settleMs
 * @property {number} measureMs
 */

/**
 * What it returns: one value per round, and in `detail` what is behind them; or why there is nothing to measure.
 *
 * @typedef {{ samples: number[], detail: string } | { unavailable: string }} Outcome
 */

/**
 * Measures two things in turn, A B A B, so that what else happens on the machine hits both.
 *
 * @param {Bench} bench
 * @param {{ a: (round: number) => Promise<number>, b: (round: number) => Promise<number> }} sides
 * @returns {Promise<{ ratios: number[], a: number, b: number }>} a ÷ b of every round; the medians of both
 */
export async function alternate({ settings, progress }, { a, b }) {
  const { rounds } = settings;
  const as = [];
  const bs = [];
  for (let round = 0; round < rounds; round += 1) {
    progress(`round ${round + 1} of ${rounds}`);
    as.push(await a(round));
    bs.push(await b(round));
  }
  return { ratios: as.map((value, round) => value / bs[round]), a: median(as), b: median(bs) };
}

/** Lets code be compiled and caches fill before anything counts; where time is short, each measurement sees to that itself. */
export async function warmUp({ settings, progress }, loads) {
  const { isQuick, warmMs } = settings;
  if (isQuick) return;
  progress('warming up');
  for (const load of loads) await measureLoad(load, { settleMs: warmMs, measureMs: 0 });
}

/**
 * Calls per second of A ÷ those of B.
 *
 * @param {Bench} bench
 * @param {import('./load.mjs').Load} a
 * @param {import('./load.mjs').Load} b
 */
export async function compareLoads(bench, a, b) {
  await warmUp(bench, [a, b]);
  const perSecond = async (load) => (await measureLoad(load, bench.settings)).perSecond;
  return alternate(bench, { a: () => perSecond(a), b: () => perSecond(b) });
}
