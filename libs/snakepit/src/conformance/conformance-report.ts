import type { CodecName } from '../codec/index.js';
import type { BridgeProtocol } from './bridge-program.js';
import { GROUPS, type Group } from './conformance-case.js';

export type CaseVerdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly expected: string; readonly got: string }
  | { readonly kind: 'not claimed'; readonly reason: string }
  /** The run was stopped before it. */
  | { readonly kind: 'not run' };

export interface CaseReport {
  readonly group: Group;
  readonly name: string;
  readonly verdict: CaseVerdict;
}

/** What one bridge does in one protocol and one codec. */
export interface ConformanceReport {
  readonly command: string;
  readonly protocol: BridgeProtocol;
  readonly codec: CodecName;
  /** What it says of itself; null where the protocol has no manifest. */
  readonly bridge: {
    readonly language: string;
    readonly runtime: { readonly name: string; readonly version: string };
    readonly sdk: { readonly name: string; readonly version: string };
  } | null;
  readonly passed: number;
  readonly claimed: number;
  readonly cases: readonly CaseReport[];
  /** Why the run was stopped before its end; absent when it was not. */
  readonly stopped?: string | undefined;
}

/** The report as people read it: a line for each group, and one for each case that failed; with `isVerbose` for every case. */
export function renderReport(report: ConformanceReport, isVerbose = false): string {
  const { bridge, protocol, codec, cases, passed, claimed } = report;
  const who = bridge === null ? report.command : `${bridge.sdk.name} ${bridge.sdk.version} (${bridge.language})`;
  const width = Math.max(...GROUPS.map((group) => group.length));
  const lines: string[] = [];
  for (const group of GROUPS) {
    const own = cases.filter((each) => each.group === group);
    if (own.length === 0) continue;
    lines.push(summaryOf(group.padEnd(width), own));
    for (const each of own) lines.push(...linesOf(each, isVerbose));
  }
  const rate = claimed === 0 ? '' : ` (${((100 * passed) / claimed).toFixed(1)} %)`;
  return [
    `${who} over ${protocol}, ${codec}`,
    '',
    ...lines,
    '',
    `${passed} of ${claimed} claimed cases passed${rate}; ${cases.length - claimed} not claimed`,
    '',
    ...(report.stopped === undefined ? [] : [`${countNotRun(cases)} cases were not run. ${report.stopped}`, '']),
  ].join('\n');
}

function summaryOf(title: string, cases: readonly CaseReport[]): string {
  const claimed = cases.filter(({ verdict }) => verdict.kind !== 'not claimed');
  if (claimed.length === 0) return `  ${title}  not claimed: ${reasonOf(cases[0]!)}`;
  const passed = claimed.filter(({ verdict }) => verdict.kind === 'passed').length;
  const rest = cases.length - claimed.length;
  const notRun = countNotRun(cases);
  if (notRun === claimed.length) return `  ${title}  not run`;
  const word = passed === claimed.length ? 'passed' : passed + notRun === claimed.length ? 'stopped' : 'FAILED';
  const others = `${notRun > 0 ? `, ${notRun} not run` : ''}${rest > 0 ? `, ${rest} not claimed` : ''}`;
  return `  ${title}  ${word}  ${passed} of ${claimed.length}${others}`;
}

function countNotRun(cases: readonly CaseReport[]): number {
  return cases.filter(({ verdict }) => verdict.kind === 'not run').length;
}

function linesOf({ name, verdict }: CaseReport, isVerbose: boolean): string[] {
  switch (verdict.kind) {
    case 'failed':
      return [`    ✗ ${name}`, `        expected  ${verdict.expected}`, `        got       ${verdict.got}`];
    case 'passed':
      return isVerbose ? [`    ✓ ${name}`] : [];
    case 'not claimed':
      return isVerbose ? [`    – ${name}: ${verdict.reason}`] : [];
    case 'not run':
      return isVerbose ? [`    – ${name}: not run`] : [];
  }
}

function reasonOf({ verdict }: CaseReport): string {
  return verdict.kind === 'not claimed' ? verdict.reason : '';
}
