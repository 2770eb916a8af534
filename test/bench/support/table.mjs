/**
 * A table that reads well on a terminal and is Markdown too.
 *
 * @param {readonly string[]} headings
 * @param {ReadonlyArray<readonly string[]>} rows
 */
export function formatTable(headings, rows) {
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column])].map(width)),
  );
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = `| ${widths.map((columnWidth) => '-'.repeat(columnWidth)).join(' | ')} |`;
  return [line(headings), rule, ...rows.map(line)].join('\n');
}

function width(text) {
  return [...text].length;
}

/** Three significant digits, and never an exponent. */
export function formatNumber(value) {
  if (value >= 100) return Math.round(value).toString();
  return Number(value.toPrecision(3)).toString();
}

/** A rate such as `412k/s`. */
export function formatRate(perSecond) {
  if (perSecond >= 1e6) return `${formatNumber(perSecond / 1e6)}M/s`;
  if (perSecond >= 1e3) return `${formatNumber(perSecond / 1e3)}k/s`;
  return `${formatNumber(perSecond)}/s`;
}

/** Such as `12 min 3 s`. */
export function formatDuration(ms) {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
