import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { custom } from '../../libs/snakepit/src/adapters/index.js';
import { renderReport, runConformance } from '../../libs/snakepit/src/conformance/index.js';
import { createSnakepit, type Snakepit } from '../../libs/snakepit/src/runtime/index.js';
import { BRIDGES, repository } from './bridges.js';

const RUN_MS = 120_000;

describe.each(BRIDGES)('the bridge for $name', ({ command, v1Command, env, runs, build, cannot = [] }) => {
  beforeAll(async () => {
    if (build !== undefined) await promisify(execFile)(build.command, build.args, { cwd: join(repository, build.cwd) });
  }, RUN_MS);

  it.each(runs)('conforms over $protocol, codec $codec', { timeout: RUN_MS }, async ({ protocol, codec, groups }) => {
    const line = protocol === 'v1' ? v1Command?.(codec ?? 'auto') : command;
    const report = await runConformance({
      command: line ?? command,
      protocol,
      codec,
      groups,
      cwd: repository,
      env: env?.(inject('pythonPackages')) ?? {},
      parallel: 3,
    });
    const failed = report.cases.filter(({ verdict }) => verdict.kind === 'failed').map(({ name }) => name);
    expect(failed, renderReport(report)).toEqual(cannot);
    expect(report.claimed).toBeGreaterThan(50);
  });
});

describe('a bridge written from PROTOCOL.md alone', () => {
  let snakepit: Snakepit;

  beforeAll(async () => {
    const script = new URL('../fixtures/conformance/perl/worker.pl', import.meta.url);
    const adapter = custom({ executable: 'perl', script, protocol: 'v2', codec: 'json', language: 'perl' });
    snakepit = await createSnakepit({ pools: { perl: { adapter, size: 1 } } });
  });

  afterAll(async () => await snakepit.close());

  it('serves a pool', async () => {
    const pool = snakepit.pool('perl');
    await expect(pool.execute('add', { a: 40, b: 2 })).resolves.toBe(42);
    await expect(pool.execute('echo', { value: { at: new Date(0), data: Buffer.from('ff', 'hex') } })).resolves.toEqual(
      {
        at: new Date(0),
        data: Buffer.from('ff', 'hex'),
      },
    );
    await expect(pool.execute('fail_with', { message: 'no' })).rejects.toMatchObject({ code: 'REMOTE_ERROR' });
  });
});
