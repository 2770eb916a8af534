import type { Finding, Level } from './finding.js';

const MARKS: Readonly<Record<Level, string>> = { ok: 'ok     ', advice: 'advice ', problem: 'PROBLEM' };

/** A line for each finding, its remedy below it, and a last line that sums up. */
export function describeFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const indent = ' '.repeat(MARKS.ok.length + width + 4);
  const lines = findings.flatMap(({ about, level, says, remedy }) => [
    `${MARKS[level]}  ${about.padEnd(width)}  ${says.trim().replaceAll('\n', `\n${indent}`)}`,
    ...(remedy === undefined ? [] : [`${indent}-> ${remedy}`]),
  ]);
  return [...lines, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const [problems, advices] = [count('problem'), count('advice')];
  if (problems > 0) return `${problems} of ${findings.length} findings keep workers from running.`;
  return `Workers run here${advices > 0 ? `; ${advices} of ${findings.length} findings could be better` : ''}.`;
}
