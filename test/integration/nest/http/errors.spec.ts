import 'reflect-metadata';
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  commandArgs,
  ERRORS,
  PoolService,
  retryAfterSeconds,
  SnakepitCommand,
  SnakepitError,
  SnakepitModule,
  type ErrorCode,
  type PoolOptions,
} from 'nestjs-snakepit';
import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../../support/wait-until.js';
import { reports, serveApp } from '../support/apps.js';

@Controller()
class ErrorController {
  constructor(private readonly pool: PoolService) {}

  @Get('codes/:code')
  code(@Param('code') code: ErrorCode) {
    throw new SnakepitError(code, { pool: 'default', command: 'add', reason: 'because' });
  }

  @Post('call/:command')
  call(@Param('command') command: string, @Body() args: unknown) {
    return this.pool.execute(command, args);
  }

  @Get('unsendable')
  unsendable() {
    return this.pool.execute('add', { a: 1, b: { rows: [{ callback: () => 1 }] } });
  }

  @SnakepitCommand('add')
  sum(a: number): Promise<number> {
    return commandArgs({ a, rest: 2 });
  }

  @Get('declared')
  declared() {
    return this.sum(1);
  }
}

const ADAPTERS = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter({ bodyLimit: 10_000_000 })],
] as const;

describe.each(ADAPTERS)('HTTP answers on %s', (_name, adapter) => {
  const serve = async (options: Partial<PoolOptions> = {}) => {
    const { app, url } = await serveApp(
      {
        imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1, ...options })],
        controllers: [ErrorController],
      },
      adapter(),
    );
    const call = (command: string, args: unknown): Promise<Response> =>
      fetch(`${url}/call/${command}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(args),
      });
    return { url, call, pool: app.get(PoolService) };
  };

  it('have the status of each code of the table, and Retry-After where 503 may pass', async () => {
    const { url } = await serve();
    for (const [code, { httpStatus, retryable, delivery }] of Object.entries(ERRORS)) {
      const response = await fetch(`${url}/codes/${code}`);
      expect([code, response.status]).toEqual([code, httpStatus]);
      expect(await response.json()).toMatchObject({ statusCode: httpStatus, code, retryable, delivery });
      expect(response.headers.get('retry-after')).toBe(httpStatus === 503 && retryable ? '1' : null);
    }
  });

  it('name the field of arguments that do not fit the command, and of such as cannot be sent', async () => {
    const { url, call } = await serve();
    const answers = await Promise.all([
      call('add', { a: 1 }),
      call('add', { a: 1, b: 2, c: 3 }),
      call('add', [1, 2, 3]),
      fetch(`${url}/unsendable`),
      fetch(`${url}/declared`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 422, 422]);
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as Array<Record<string, unknown>>;
    for (const { code } of bodies) expect(code).toBe('INVALID_ARGUMENTS');
    expect(bodies.map(({ field }) => field)).toEqual([
      'args.b',
      'args.c',
      undefined,
      'args.b.rows[0].callback',
      expect.stringMatching(/^args\.(?:b|rest)$/),
    ]);
  });

  it('tell of arguments that are too large by 413', async () => {
    const { call } = await serve({ maxFrameBytes: 65_536 });
    const response = await call('fail', { message: 'x'.repeat(70_000) });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'FRAME_TOO_LARGE' });
  });

  it('say by Retry-After when the queue will be through, as far as the pool knows', async () => {
    const { call, pool } = await serve({ maxQueue: 1, queueTimeoutMs: 300 });
    // What it takes is learned.
    await call('sleep', { seconds: 1.2 });
    const running = call('sleep', { seconds: 1.2 });
    await waitUntil('the call', () => pool.stats().inFlight === 1);
    const waiting = call('sleep', { seconds: 1.2 });
    await waitUntil('the queue', () => pool.stats().queued === 1);
    const refused = await call('sleep', { seconds: 1.2 });
    expect(await refused.json()).toMatchObject({ code: 'POOL_SATURATED' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '3']);
    const late = await waiting;
    expect(await late.json()).toMatchObject({ code: 'QUEUE_TIMEOUT' });
    expect([late.status, late.headers.get('retry-after')]).toEqual([503, '2']);
    expect((await running).status).toBe(201);
  });
});

describe('retryAfterSeconds', () => {
  it.each([
    [undefined, 1],
    [0, 1],
    [1, 1],
    [1_001, 2],
    [30_000, 30],
    [3_600_000, 60],
    ['soon', 1],
  ])('is, for %j milliseconds, %d', (retryAfterMs, seconds) => {
    expect(retryAfterSeconds(new SnakepitError('POOL_SATURATED', { retryAfterMs }))).toBe(seconds);
  });
});
