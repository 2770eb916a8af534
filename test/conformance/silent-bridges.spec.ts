import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import {
  ConformanceFailure,
  renderReport,
  runConformance,
  type ConformanceOptions,
  type ConformanceProgress,
  type ConformanceReport,
} from '../../libs/snakepit/src/conformance/index.js';
import { useScratch } from '../support/records.js';

const SILENT = `node ${fileURLToPath(new URL('../fixtures/conformance/silent/worker.mjs', import.meta.url))}`;

const run = (command: string, more: Partial<ConformanceOptions> = {}): Promise<ConformanceReport> =>
  runConformance({ command, protocol: 'v2', answerMs: 500, helloMs: 2_000, ...more });

describe('the conformance kit stops', { timeout: 30_000 }, () => {
  const scratch = useScratch();

  it('at a bridge that answers nothing, and shows what was sent and expected', async () => {
    const progress: ConformanceProgress[] = [];
    const failure = await failureOf(run(`${SILENT} hello`, { onProgress: (now) => progress.push(now) }));
    expect(failure).toMatch(/no handshake over v2: expected a hello, got nothing within 2 seconds/);
    expect(failure).toMatch(/sent .*SNAKEPIT_FD.* bytes [0-9a-f]{8}01.*"{\\"protocol\\":\[2\]/);
    expect(failure).toMatch(/expected .*HELLO.*PROTOCOL\.md/);
    expect(failure).toMatch(/came +nothing/);
    expect(failure).toMatch(/process +it is still running/);
    expect(failure).toMatch(/nothing on stderr/);
    expect(progress).toEqual([{ ended: 0, total: 0, failed: 0, running: [] }]);
  });

  it('at one of v1 that answers nothing', async () => {
    const failure = await failureOf(run('node -e "process.stdin.resume()"', { protocol: 'v1' }));
    expect(failure).toMatch(/no handshake over v1: expected an answer to the negotiation, got nothing within/);
    expect(failure).toMatch(/sent .*stdin.*protocol_negotiation/);
  });

  it('at one that exits at once, and shows how and what it said', async () => {
    const failure = await failureOf(run(`node -e "console.error('no such module'); process.exit(3)"`));
    expect(failure).toMatch(/process +it exited with status 3/);
    expect(failure).toMatch(/last words on stderr:\s+no such module/);
  });

  it('at one that answers otherwise, and shows what came', async () => {
    const failure = await failureOf(run(`node -e "require('net').Socket({ fd: 3 }).write('HTTP/1.1 400')"`));
    expect(failure).toMatch(/came +12 bytes 485454502f312e3120343030/);
  });

  it('at one that answers its hello and nothing else', async () => {
    const report = await run(`${SILENT} calls`);
    expect(report.stopped).toMatch(/answers no more, as of the case '.*'\. A new process shakes hands, then: .*add/);
    const failed = report.cases.filter(({ verdict }) => verdict.kind === 'failed');
    expect(failed.length).toBeLessThan(10);
    expect(renderReport(report)).toMatch(/\d{2,} cases were not run\. The bridge answers no more/);
    expect(report.passed).toBeLessThan(report.claimed);
  });

  it('at one that stops answering in the middle, with the verdicts so far', async () => {
    const mark = scratch();
    const progress: ConformanceProgress[] = [];
    const report = await run(`${SILENT} echo ${mark}`, {
      groups: ['calls', 'values'],
      onProgress: (now) => progress.push(now),
    });
    expect(existsSync(mark)).toBe(true);
    expect(report.stopped).toMatch(/There is no handshake over v2: expected a hello, got nothing within 2 seconds/);
    expect(report.passed).toBeGreaterThan(0);
    expect(report.cases.filter(({ verdict }) => verdict.kind === 'not run').length).toBeGreaterThan(50);
    expect(progress.at(-1)).toMatchObject({ total: report.cases.length, running: [] });
    expect(progress.some(({ running }) => running.length > 0)).toBe(true);
  });
});

async function failureOf(run: Promise<unknown>): Promise<string> {
  const failure = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ConformanceFailure);
  return (failure as Error).message;
}
