import 'reflect-metadata';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getPoolToken, isSnakepitError, Snakepit, type PoolService } from 'nestjs-snakepit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(join(repository, 'docs/configuration.md'), 'utf8');

/** The text of a block of the page. */
function block(pattern: RegExp): string {
  const found = pattern.exec(page)?.[1];
  if (found === undefined) throw new Error(`docs/configuration.md has no block like ${String(pattern)}`);
  return found;
}

describe('the module of docs/configuration.md', () => {
  let folder: string;
  let AppModule: Type;
  let app: INestApplicationContext | undefined;

  /** Below the repository, so that the packages are found. */
  beforeAll(async () => {
    folder = mkdtempSync(join(repository, 'test/.configuration-'));
    const file = join(folder, 'app.module.ts');
    writeFileSync(file, block(/```ts title="src\/app\.module\.ts"\n([\s\S]*?)```/));
    vi.stubEnv('REPORT_WORKER', join(repository, 'test/fixtures/nest/report.py'));
    ({ AppModule } = (await import(file)) as { AppModule: Type });
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    vi.unstubAllEnvs();
    vi.stubEnv('REPORT_WORKER', join(repository, 'test/fixtures/nest/report.py'));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('runs pools by what the environment says', async () => {
    vi.stubEnv('SNAKEPIT_POOLS_REPORTS_SIZE', '1');
    vi.stubEnv('SNAKEPIT_POOLS_ML_QUEUE_TIMEOUT_MS', '2000');
    app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const { pools } = app.get(Snakepit).options;
    expect(pools['reports']).toMatchObject({ size: 1, queueTimeoutMs: 5_000 });
    expect(pools['ml']).toMatchObject({ size: 1, profile: 'ml-inference', queueTimeoutMs: 2_000, timeoutMs: 120_000 });
    const ml = app.get<PoolService>(getPoolToken('ml'));
    expect(await ml.execute('add', { a: 40, b: 2 })).toBe(42);
  });

  it.each([
    ['SNAKEPIT_POOLS_ML_SIZE', 'eight', /'SNAKEPIT_POOLS_ML_SIZE' is "eight"; allowed is an integer from 1 to 1024/],
    ['SNAKEPIT_POOLS_ML_SISE', '8', /unknown environment variable 'SNAKEPIT_POOLS_ML_SISE'.*SNAKEPIT_POOLS_ML_SIZE/],
  ])('does not start where %s is %s', async (name, value, message) => {
    vi.stubEnv(name, value);
    const starting = NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    const error: unknown = await starting.then(
      (started) => void (app = started),
      (reason: unknown) => reason,
    );
    expect(isSnakepitError(error, 'INVALID_OPTIONS')).toBe(true);
    expect((error as Error).message).toMatch(message);
  });

  it('takes every variable that the page names', async () => {
    const lines = block(/```sh\n([\s\S]*?)```/)
      .trim()
      .split('\n');
    expect(lines.length).toBeGreaterThan(5);
    const { withEnvironment, python } = await import('nestjs-snakepit');
    const env = Object.fromEntries(lines.map((line) => line.split('=') as [string, string]));
    const adapter = python({ module: 'report.py' });
    const options = { pools: { ml: { adapter, batch: { predict: {} } } } };
    expect(withEnvironment(options, env)).toEqual({
      pools: {
        ml: {
          adapter,
          size: 8,
          queueTimeoutMs: 2_000,
          autoscale: { max: 16 },
          recycle: { maxCalls: 50_000 },
          batch: { predict: { maxSize: 64 } },
        },
      },
      sessions: { ttlMs: 600_000 },
      autoStart: false,
    });
  });
});
