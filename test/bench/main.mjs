import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

import { HELP, parseCommandLine, UsageError } from './cli.mjs';
import { FULL, hostsFor, measureFigures, QUICK } from './conductor.mjs';
import { FIGURES, isQuick } from './figures.mjs';
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
  const wanted = FIGURES.filter(({ group }) => only.length === 0 || only.includes(group));
  const figures = quick ? wanted.filter(isQuick) : wanted;
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
  const begin = (index) => {
    if (index < figures.length) progress.begin(`[${index + 1}/${figures.length}] ${figures[index].key}`);
  };
  const onProgress = (_, text) => progress.update(text);
  const onOutcome = (figure, outcome) => {
    progress.end(inShort(outcome));
    begin(figures.indexOf(figure) + 1);
  };
  begin(0);
  const results = [];
  for (const together of hostsFor(figures, settings)) {
    const otherLoad = watchOtherLoad();
    const outcomes = await measureFigures(together, { plan, settings, onProgress, onOutcome });
    const otherCpus = otherLoad();
    for (const [index, figure] of together.entries()) results.push({ figure, outcome: outcomes[index], otherCpus });
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

function inShort(outcome) {
  if (outcome.failure !== undefined) return 'failed';
  if (outcome.unavailable !== undefined) return `not available: ${outcome.unavailable}`;
  return `${formatNumber(summarize(outcome.samples).median)} (${outcome.detail})`;
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
