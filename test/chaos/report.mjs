import { formatNumber, formatTable } from '../bench/support/table.mjs';
import { holds, isPromise } from './figures.mjs';

/** @typedef {{ group: import('./figures.mjs').ChaosGroup, outcome: { figures: Record<string, number>, notes: string[] } | { failure: string } }} Result */

/** @param {readonly Result[]} results */
export function formatResults(results) {
  const rows = results.flatMap(({ group, outcome }) => {
    if (outcome.failure !== undefined) return [[group.name, '', 'failed', '', '']];
    return group.figures.map((figure) => row(figure, outcome.figures[figure.key]));
  });
  return formatTable(['figure', 'what', 'found', 'target', 'held'], rows);
}

/** The figures by name; those of groups that failed are absent. @param {readonly Result[]} results */
export function toJson(results) {
  return Object.fromEntries(
    results.flatMap(({ group, outcome }) =>
      outcome.failure === undefined ? group.figures.map(({ key }) => [key, outcome.figures[key]]) : [],
    ),
  );
}

/** What fails the run, a line each. @param {readonly Result[]} results */
export function brokenPromises(results) {
  return results.flatMap(({ group, outcome }) => {
    if (outcome.failure !== undefined) return [`${group.name} failed: ${outcome.failure}`];
    const broken = group.figures.filter((figure) => isPromise(figure) && !holds(figure, outcome.figures[figure.key]));
    const told = broken.length === 0 ? [] : outcome.notes.map((note) => `  ${note}`);
    return [...broken.map(({ key }) => `${key} is ${outcome.figures[key]}, which must not be`), ...told];
  });
}

function row(figure, value) {
  const { key, title, target } = figure;
  if (!Number.isFinite(value)) throw new Error(`group did not measure '${key}'`);
  const isHeld = holds(figure, value);
  return [key, title, formatNumber(value), formatTarget(target), isHeld === undefined ? '' : isHeld ? 'yes' : 'no'];
}

function formatTarget(target) {
  if (target === undefined) return '';
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}
