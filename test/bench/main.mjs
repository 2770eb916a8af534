import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

import { HELP, parseCommandLine, UsageError } from './cli.mjs';
import { FULL, measureFigure, QUICK } from './conductor.mjs';
import { FIGURES } from './figures.mjs';
import { formatResults, toJson } from './report.mjs';
import { planCpus } from './support/cpus.mjs';
import { watchOtherLoad } from './support/other-load.mjs';
import { installNpmPackages, installPythonPackages } from './support/packages.mjs';
import { Progress } from './support/progress.mjs';
import { summarize } from './support/statistics.mjs';
import { formatDuration, formatNumber } from './support/table.mjs';

/** @returns {Promise<number>} the exit status: 0 even where targets are missed, 1 when a figure could not be measured */
async function main(args) {
  const { help, quick, only, json } = parseCommandLine(args);
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const figures = FIGURES.filter(({ group }) => only.length === 0 || only.includes(group));
  const plan = planCpus();
  process.stdout.write(`${describeMachine(plan)}\n`);
  installPeers();
  const results = await measureAll(figures, { plan, settings: quick ? QUICK : FULL });
  process.stdout.write(
    `\n${formatResults(results)}\n\n${results.length} figures, ${formatDuration(performance.now())}.\n`,
  );
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(toJson(results), undefined, 2)}\n`);
  return reportFailures(results);
}

async function measureAll(figures, { plan, settings }) {
  const progress = new Progress(process.stderr);
  const results = [];
  for (const [index, figure] of figures.entries()) {
    progress.begin(`[${index + 1}/${figures.length}] ${figure.key}`);
    const otherLoad = watchOtherLoad();
    const outcome = await measureFigure(figure, { plan, settings, onProgress: (text) => progress.update(text) });
    const otherCpus = otherLoad();
    progress.end(inShort(outcome, otherCpus));
    results.push({ figure, outcome, otherCpus });
  }
  return results;
}

function installPeers() {
  process.stderr.write('making sure that the peers are installed …\n');
  installPythonPackages();
  installNpmPackages();
}

function describeMachine(plan) {
  const [{ model }, { length }] = [cpus()[0], cpus()];
  const placing =
    'reason' in plan ? `Not pinned: ${plan.reason}.` : `Host on CPU ${plan.host}, workers on ${plan.workers}.`;
  return `${length} × ${model.trim()}, Node ${process.versions.node}. ${placing}`;
}

function inShort(outcome, otherCpus) {
  if (outcome.failure !== undefined) return 'failed';
  if (outcome.unavailable !== undefined) return `not available: ${outcome.unavailable}`;
  const others = otherCpus === undefined ? '' : `; other processes used ${otherCpus.toFixed(1)} CPUs`;
  return `${formatNumber(summarize(outcome.samples).median)} (${outcome.detail}${others})`;
}

function reportFailures(results) {
  const failed = results.filter(({ outcome }) => outcome.failure !== undefined);
  for (const { figure, outcome } of failed) process.stderr.write(`\n${figure.key} failed: ${outcome.failure}\n`);
  return failed.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n\n${HELP}` : `${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
