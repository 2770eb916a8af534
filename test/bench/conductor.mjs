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
export const QUICK = { isQuick: true, rounds: 3, warmMs: 120, settleMs: 20, measureMs: 70 };

/**
 * Measures one figure in a host process of its own.
 *
 * @param {import('./figures.mjs').Figure} figure
 * @param {{ plan: object, settings: object, onProgress: (text: string) => void }} how
 * @returns {Promise<import('./support/rounds.mjs').Outcome | { failure: string }>}
 */
export async function measureFigure(figure, { plan, settings, onProgress }) {
  const instructions = JSON.stringify({ figure, settings });
  const { command, args, env } = onHostCpu(plan, process.execPath, [figureHost, instructions]);
  const host = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const watchdog = setTimeout(() => host.kill(), FIGURE_TIMEOUT_MS);
  let result;
  host.on('message', ({ progress, outcome, failure }) => {
    if (progress === undefined) result = outcome ?? { failure };
    else onProgress(progress);
  });
  const [status, signal] = await once(host, 'exit');
  clearTimeout(watchdog);
  return result ?? { failure: `its host ended with ${signal ?? `status ${status}`} before it had a result` };
}
