import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ConformanceReport } from '../../libs/snakepit/src/conformance/index.js';
import { repository } from './bridges.js';

const CLI = join(repository, 'libs/snakepit/dist/cli/main.js');
const SILENT = 'node test/fixtures/conformance/silent/worker.mjs hello';
const PERL = 'perl test/fixtures/conformance/perl/worker.pl';

describe('snakepit conformance', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('prints a table, writes the report, and exits with 0 when all claimed cases pass', async () => {
    const file = join(folder, 'report.json');
    const { status, stdout } = await run('--command', PERL, '--group', 'calls', '--group', 'input', '--json', file);
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringMatching(/calls +passed/) as string });
    expect(stdout).toMatch(/input +not claimed: the manifest has no read_input/);
    const report = JSON.parse(readFileSync(file, 'utf8')) as ConformanceReport;
    expect(report).toMatchObject({ protocol: 'v2', codec: 'json', bridge: { language: 'perl' } });
    expect(report.passed).toBe(report.claimed);
  });

  it.each([
    ['without a command', [], /required option '--command/],
    ['with a protocol that there is not', ['--command', PERL, '--protocol', 'v3'], /Allowed choices are v1, v2, grpc/],
    ['with a group that there is not', ['--command', PERL, '--group', 'speed'], /no group 'speed'/],
    ['with a program that does not start', ['--command', 'no-such-program'], /does not start/],
    ['with a bridge of another codec', ['--command', PERL, '--codec', 'msgpack'], /no handshake over v2 with msgpack/],
    ['with a bridge of another protocol', ['--command', PERL, '--protocol', 'v1'], /no handshake over v1/],
  ])('exits with 2 %s', async (_, args, message) => {
    const { status, stderr } = await run(...args);
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringMatching(message) as string });
  });

  it('tells on stderr what it waits for', { timeout: 20_000 }, async () => {
    const waiting = spawn(process.execPath, [CLI, 'conformance', '--command', SILENT], { cwd: repository });
    let stderr = '';
    for await (const chunk of waiting.stderr) {
      stderr += String(chunk);
      if (stderr.includes('\n')) break;
    }
    const ended = once(waiting, 'exit');
    waiting.kill('SIGINT');
    await ended;
    expect(stderr).toBe('waits for the handshake …\n');
  });
});

function run(...args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: repository, timeout: 20_000 };
    execFile(process.execPath, [CLI, 'conformance', ...args], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}
