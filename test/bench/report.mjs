import { isInJson } from './figures.mjs';
import { summarize } from './support/statistics.mjs';
import { formatNumber, formatTable } from './support/table.mjs';

/** @typedef {{ figure: import('./figures.mjs').Figure, outcome: import('./support/rounds.mjs').Outcome | { failure: string }, otherCpus: number | undefined }} Result */

/** @param {readonly Result[]} results */
export function formatResults(results) {
  const headings = ['figure', 'what', 'median', 'spread', 'target', 'reached', 'behind it', 'other load'];
  return formatTable(headings, results.map(row));
}

/** The figures by name; those that could not be measured, and those that are shown for comparison only, are absent. */
export function toJson(results) {
  const measured = results.filter(({ figure, outcome }) => isInJson(figure) && outcome.samples !== undefined);
  return Object.fromEntries(measured.map(({ figure, outcome }) => [figure.key, summarize(outcome.samples).median]));
}

function row({ figure, outcome, otherCpus }) {
  return [...measured(figure, outcome), otherCpus === undefined ? '' : `${otherCpus.toFixed(1)} CPUs`];
}

function measured(figure, outcome) {
  const { key, title, target } = figure;
  if (outcome.failure !== undefined) return [key, title, 'failed', '', formatTarget(target), '', ''];
  if (outcome.unavailable !== undefined) {
    return [key, title, 'not available', '', formatTarget(target), '', outcome.unavailable];
  }
  const { median, least, most } = summarize(outcome.samples);
  const spread = `${formatNumber(least)} … ${formatNumber(most)}`;
  return [key, title, formatNumber(median), spread, formatTarget(target), reached(target, median), outcome.detail];
}

function formatTarget(target) {
  if (target === undefined) return '';
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

function reached(target, value) {
  if (target === undefined) return '';
  const isReached = 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
  return isReached ? 'yes' : 'no';
}
