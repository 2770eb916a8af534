// Random schedules of pools with scripted workers, on all CPUs.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

import { processesFor } from '../support/cpus.mjs';

const SHARE = fileURLToPath(new URL('../support/simulation-share.mjs', import.meta.url));

/**
 * @param {{ seed: number, cycles: number, budgetMs?: number, progress?: (text: string) => void, processes?: number }} input `cycles` is
 * the number of schedules, which have the seeds from `seed` on; after `budgetMs` (default: whenever they are done) no further one is
 * begun. A schedule takes some 5 ms of one CPU.
 * @returns figures: `sim_schedules` (as many as were run), `sim_violations`, the seeds that failed, and how long and diverse the
 * schedules were
 */
export async function simulations({ seed, cycles, budgetMs, progress = () => {}, processes = availableParallelism() }) {
  const each = Math.ceil(cycles / processes);
  const done = Array.from({ length: processes }, () => 0);
  const told = (index, count) => {
    done[index] = count;
    progress(`schedules: ${done.reduce((sum, part) => sum + part, 0)} of ${cycles}`);
  };
  const shares = await Promise.all(
    done.map((_, index) => {
      const schedules = Math.max(0, Math.min(each, cycles - index * each));
      return runShare({ seed: seed + index * each, schedules, ...(budgetMs && { budgetMs }) }, (count) =>
        told(index, count),
      );
    }),
  );
  const sum = (key) => shares.reduce((total, share) => total + share[key], 0);
  const whole = Math.max(1, sum('schedules'));
  const mean = (key) => shares.reduce((total, share) => total + share[key] * share.schedules, 0) / whole;
  return {
    seed,
    sim_schedules: sum('schedules'),
    sim_violations: sum('violations'),
    sim_failed: shares.flatMap(({ failed }) => failed),
    sim_mean_steps: mean('meanSteps'),
    sim_mean_calls: mean('meanCalls'),
    sim_mean_processes: mean('meanProcesses'),
    sim_succeeded_share: mean('succeededShare'),
  };
}

async function runShare(input, onProgress) {
  const child = fork(SHARE, [JSON.stringify(input)]);
  let figures;
  child.on('message', (message) => {
    if (typeof message === 'number') onProgress(message);
    else figures = message;
  });
  const [status] = await once(child, 'exit');
  if (figures === undefined) throw new Error(`a share of the simulation ended with status ${status}`);
  return figures;
}

export async function run({ cycles, seed, isQuick, progress }) {
  const processes = processesFor({ isQuick });
  const { sim_failed: failed, ...figures } = await simulations({ seed, cycles, progress, processes });
  return { ...figures, notes: failed.map((each) => JSON.stringify(each)) };
}
