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
export const QUICK = { isQuick: true, rounds: 1, warmMs: 60, settleMs: 20, measureMs: 80 };

/**
 * Figures that share a host process: each has its own, so that no figure runs code that another has compiled, or pays for its memory;
 * but those of a group share one where time is short.
 *
 * @param {readonly import('./figures.mjs').Figure[]} figures
 * @param {import('./support/rounds.mjs').Settings} settings
 * @returns {import('./figures.mjs').Figure[][]} all of them, in their order
 */
export function hostsFor(figures, { isQuick }) {
  const hosts = [];
  for (const figure of figures) {
    const last = hosts.at(-1);
    if (isQuick && last?.[0].group === figure.group) last.push(figure);
    else hosts.push([figure]);
  }
  return hosts;
}

/**
 * Measures figures of one group, one after the other, in a host process of their own.
 *
 * @param {readonly import('./figures.mjs').Figure[]} figures
 * @param {{ plan: object, settings: object, onProgress: (figure: import('./figures.mjs').Figure, text: string) => void }} how
 * @returns {Promise<Array<import('./support/rounds.mjs').Outcome | { failure: string }>>} one for each figure, in their order
 */
export async function measureFigures(figures, { plan, settings, onProgress }) {
  const instructions = JSON.stringify({ figures, settings });
  const { command, args, env } = onHostCpu(plan, process.execPath, [figureHost, instructions]);
  const host = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const watchdog = setTimeout(() => host.kill(), figures.length * FIGURE_TIMEOUT_MS);
  const outcomes = [];
  host.on('message', ({ progress, outcome, failure }) => {
    if (progress === undefined) outcomes.push(outcome ?? { failure });
    else onProgress(figures[outcomes.length], progress);
  });
  const [status, signal] = await once(host, 'exit');
  clearTimeout(watchdog);
  const failure = `its host ended with ${signal ?? `status ${status}`} before it had a result`;
  return figures.map((_, index) => outcomes[index] ?? { failure });
}
