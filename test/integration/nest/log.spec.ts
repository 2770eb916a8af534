import 'reflect-metadata';
import { ConsoleLogger, Logger, type LoggerService } from '@nestjs/common';
import { PoolService, python, SnakepitModule } from 'nestjs-snakepit';
import { afterEach, expect, it, vi } from 'vitest';
import { bootApp, createApp, reports } from './support/apps.js';

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

it('says at the start how many workers each pool has, and what they take', async () => {
  const { lines, logger } = listeningLogger();
  const pools = {
    reports: { adapter: reports(), size: 2 },
    chatty: { adapter: python({ module: 'test/fixtures/logs/chatty.py' }), size: 1 },
  };
  const app = await createApp({ imports: [SnakepitModule.forRoot({ pools })] });
  app.useLogger(logger);
  await app.init();
  const told = (pool: string) =>
    lines.filter(({ level, rest }) => level === 'log' && rest.at(-1) === `Snakepit/${pool}`);
  const ready = expect.stringMatching(/^2 workers ready; commands: add, .*\bsleep\b/);
  expect(told('reports').map(({ rest }) => rest[0])).toContainEqual(ready);
  expect(told('chatty').map(({ rest }) => rest[0])).toContainEqual(
    expect.stringMatching(/^1 worker ready; commands: /),
  );
});

it('writes stray output of workers to the log', async () => {
  const { lines, logger } = listeningLogger();
  const app = await bootApp({ imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 })] });
  app.useLogger(logger);
  await app.get(PoolService).execute('shout', ['hello']);
  await app.close();
  expect(lines.some(({ rest }) => String(rest[0]).includes('hello'))).toBe(true);
});

it('writes a line of JSON with the call, its trace and its context, and the traceback as the stack', async () => {
  const written: string[] = [];
  const write = (chunk: unknown) => written.push(String(chunk)) > 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  const adapter = python({ module: 'test/fixtures/logs/chatty.py' });
  const app = await bootApp({ imports: [SnakepitModule.forRoot({ adapter, size: 1 })] });
  app.useLogger(new ConsoleLogger({ json: true }));
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const trace = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  await app.get(PoolService).execute('log_exception', null, { trace, context: { requestId: 'r-17' } });
  await app.close();
  const lines = written.filter((line) => line.includes('KeyError'));
  expect(lines).toHaveLength(1);
  const record = JSON.parse(lines[0]!) as Record<string, unknown>;
  expect(record).toMatchObject({
    level: 'error',
    message: 'it is\nmissing',
    context: expect.stringMatching(/^Snakepit\/default-\d+$/) as string,
    stack: expect.stringMatching(/^Traceback [^]*KeyError: 'missing'$/) as string,
    params: {
      logger: 'app.models',
      pool: 'default',
      worker: expect.stringMatching(/^default-\d+$/) as string,
      call: expect.any(Number) as number,
      command: 'log_exception',
      traceId,
      correlation: { requestId: 'r-17' },
    },
  });
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
