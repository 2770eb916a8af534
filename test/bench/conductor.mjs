import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { onHostCpu } from './support/cpus.mjs';

const figureHost = fileURLToPath(new URL('figure-host.mjs', import.meta.url));

/** A figure takes a minute or two; one that takes this long hangs. */
const FIGURE_TIMEOUT_MS = 600_000;

/** @type {import('./support/rounds.mjs').Settings} */
export const FULL = { isQuick: false, rounds: 7, warmMs: 3_000, settleMs: 150, measureMs: 1_000 };
/** @type {import('./support/rounds.mjs').Settings} */
export const QUICK = { isQuick: true, rounds: 1, warmMs: 100, settleMs: 20, measureMs: 80 };

/**
 * Figures that share a host process: each has its own, so that no figure runs code that another has compiled, or pays for its memory;
 * but all share one where time is short, so that its code has to be loaded and compiled once.
 *
 * @param {readonly import('./figures.mjs').Figure[]} figures
 * @param {import('./support/rounds.mjs').Settings} settings
 * @returns {import('./figures.mjs').Figure[][]} all of them, in their order
 */
export function hostsFor(figures, { isQuick }) {
  return isQuick ? [figures] : figures.map((figure) => [figure]);
}

/**
 * Measures figures one after the other, in a host process of their own.
 *
 * @param {readonly import('./figures.mjs').Figure[]} figures
 * @param {{ plan: object, settings: object, onProgress: (figure: Figure, text: string) => void, onOutcome: (figure: Figure, outcome: Ending) => void }} how
 * @returns {Promise<Ending[]>} one for each figure, in their order
 *
 * @typedef {import('./figures.mjs').Figure} Figure
 * @typedef {import('./support/rounds.mjs').Outcome | { failure: string }} Ending
 */
export async function measureFigures(figures, { plan, settings, onProgress, onOutcome }) {
  const instructions = JSON.stringify({ figures, settings });
  const { command, args, env } = onHostCpu(plan, process.execPath, [figureHost, instructions]);
  const host = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const watchdog = setTimeout(() => host.kill(), figures.length * FIGURE_TIMEOUT_MS);
  const outcomes = [];
  host.on('message', ({ progress, outcome, failure }) => {
    const figure = figures[outcomes.length];
    if (progress !== undefined) return onProgress(figure, progress);
    outcomes.push(outcome ?? { failure });
    onOutcome(figure, outcomes.at(-1));
  });
  const [status, signal] = await once(host, 'exit');
  clearTimeout(watchdog);
  const failure = `its host ended with ${signal ?? `status ${status}`} before it had a result`;
  for (const figure of figures.slice(outcomes.length)) {
    outcomes.push({ failure });
    onOutcome(figure, { failure });
  }
  return outcomes;
}
