import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

import { Progress } from '../bench/support/progress.mjs';
import { formatDuration } from '../bench/support/table.mjs';
import { HELP, parseCommandLine, UsageError } from './cli.mjs';
import { runGroup } from './conductor.mjs';
import { GROUPS } from './figures.mjs';
import { brokenPromises, formatResults, toJson } from './report.mjs';
import { runsSideBySide } from './support/cpus.mjs';

/** @returns {Promise<number>} the exit status: 1 when a promise was broken or a group failed, 130 when interrupted */
async function main(args) {
  const { help, quick, only, json, cycles, seed = freshSeed() } = parseCommandLine(args);
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (process.platform !== 'linux') throw new UsageError('npm run chaos needs Linux: it finds processes in /proc.');
  const groups = GROUPS.filter(({ name }) => only.length === 0 || only.includes(name));
  process.stdout.write(
    `${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.versions.node}, seed ${seed}; repeat with --seed ${seed}\n`,
  );
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => interrupted.abort());
  const results = await runAll(groups, { cycles, seed, isQuick: quick, signal: interrupted.signal });
  process.stdout.write(`\n${formatResults(results)}\n\nseed ${seed}, ${formatDuration(performance.now())}\n`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(toJson(results), undefined, 2)}\n`);
  if (interrupted.signal.aborted) return 130;
  const broken = brokenPromises(results);
  for (const line of broken) process.stderr.write(`${line}\n`);
  return broken.length === 0 ? 0 : 1;
}

/** What is timed runs alone; afterwards the rest, side by side where there are CPUs for it. */
async function runAll(groups, how) {
  const results = [];
  const timed = groups.filter(({ isTimed }) => isTimed);
  const others = groups.filter(({ isTimed }) => !isTimed);
  const one = async (group) => results.push(await runOne(group, how));
  for (const group of timed) await one(group);
  if (runsSideBySide(how)) await Promise.all(others.map(one));
  else for (const group of others) await one(group);
  return results.toSorted((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group));
}

async function runOne(group, { cycles, seed, isQuick, signal }) {
  const count = cycles ?? (isQuick ? group.quickCycles : group.cycles);
  if (signal.aborted) return { group, outcome: { failure: 'interrupted' } };
  const progress = new Progress(process.stderr);
  const startedAt = performance.now();
  progress.begin(`${group.name}, ${count} ${group.unit}`);
  const onProgress = (text) => progress.update(text);
  const outcome = await runGroup(group, { cycles: count, seed, isQuick, signal, onProgress });
  const state = outcome.failure === undefined ? 'done' : 'failed';
  progress.end(`${state} in ${formatDuration(performance.now() - startedAt)}`);
  return { group, outcome };
}

function freshSeed() {
  return 1 + Math.floor(Math.random() * 1_000_000_000);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n\n${HELP}` : `${error.stack}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
