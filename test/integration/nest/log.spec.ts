import 'reflect-metadata';
import { ConsoleLogger, Logger, type LoggerService } from '@nestjs/common';
import { PoolService, SnakepitModule } from 'nestjs-snakepit';
import { afterEach, expect, it, vi } from 'vitest';
import { bootApp, reports } from './support/apps.js';

afterEach(() => {
  vi.restoreAllMocks();
  Logger.overrideLogger(false);
});

function listeningLogger() {
  const lines: { level: string; rest: unknown[] }[] = [];
  const at =
    (level: string) =>
    (...rest: unknown[]) =>
      void lines.push({ level, rest });
  const logger: LoggerService = { log: at('log'), warn: at('warn'), error: at('error'), debug: at('debug') };
  return { lines, logger };
}

it('writes what workers log to the Logger of Nest, with level, fields and the worker as context', async () => {
  const { lines, logger } = listeningLogger();
  const app = await bootApp({ imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 })] });
  app.useLogger(logger);
  await app.get(PoolService).execute('complain', ['disk is full']);
  await app.close();
  expect(lines).toContainEqual({
    level: 'warn',
    rest: ['disk is full', expect.objectContaining({ rows: 3 }), expect.stringMatching(/^Snakepit\/default-\d+$/)],
  });
});

it('writes stray output of workers to the log', async () => {
  const { lines, logger } = listeningLogger();
  const app = await bootApp({ imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 })] });
  app.useLogger(logger);
  await app.get(PoolService).execute('shout', ['hello']);
  await app.close();
  expect(lines.some(({ rest }) => String(rest[0]).includes('hello'))).toBe(true);
});

it('keeps the fields apart in JSON lines', async () => {
  const written: string[] = [];
  const write = (chunk: unknown) => written.push(String(chunk)) > 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  const app = await bootApp({ imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 })] });
  app.useLogger(new ConsoleLogger({ json: true }));
  await app.get(PoolService).execute('complain', ['disk is full']);
  await app.close();
  const record: unknown = JSON.parse(written.find((line) => line.includes('disk is full')) ?? 'null');
  expect(record).toMatchObject({
    level: 'warn',
    message: 'disk is full',
    context: expect.stringMatching(/^Snakepit/) as string,
    params: { rows: 3 },
  });
});
