import 'reflect-metadata';
import {
  Body,
  Catch,
  Controller,
  Get,
  Param,
  Post,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { PoolService, SessionService, SnakepitError, SnakepitExceptionFilter, SnakepitModule } from 'nestjs-snakepit';
import { lastValueFrom, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { reports, serveApp } from './support/apps.js';

@Controller()
class CallController {
  constructor(
    private readonly pool: PoolService,
    private readonly sessions: SessionService,
  ) {}

  @Post('call/:command')
  call(@Param('command') command: string, @Body() args: Record<string, unknown>) {
    const { timeoutMs, ...rest } = args as { timeoutMs?: number };
    return this.pool.execute(command, rest, { timeoutMs });
  }

  @Get('session')
  session() {
    return this.sessions.get('nobody');
  }

  @Get('started')
  started() {
    throw new SnakepitError('POOL_NOT_READY', { pool: 'ml', reason: 'the last said:\n  command line: secret' });
  }
}

const metadata = () => ({
  imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1, maxQueue: 0 })],
  controllers: [CallController],
});

const post = (url: string, command: string, args: object) =>
  fetch(`${url}/call/${command}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(args),
  });

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('a failed call on %s', (_name, adapter) => {
  it('answers with the status of its code and what the client may know', async () => {
    const { url } = await serveApp(metadata(), adapter());
    const response = await post(url, 'fail', { message: 'bad row\nin line 3' });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toEqual({
      statusCode: 500,
      code: 'REMOTE_ERROR',
      message: "'fail' raised ValueError: bad row\nin line 3",
      delivery: 'ran',
      retryable: false,
      remote: { type: 'ValueError', message: 'bad row\nin line 3' },
    });
    expect(text).not.toMatch(/Traceback|report\.py/);
  });

  it.each([
    ['an unknown command', 'nonsense', {}, 404, 'UNKNOWN_COMMAND'],
    ['arguments that do not fit', 'add', { a: 1 }, 422, 'INVALID_ARGUMENTS'],
    ['a deadline that passes', 'sleep', { seconds: 0.2, timeoutMs: 20 }, 504, 'CALL_TIMEOUT'],
    ['a worker that exits', 'die', {}, 503, 'WORKER_EXITED'],
  ])('maps %s', async (_what, command, args, status, code) => {
    const { url } = await serveApp(metadata(), adapter());
    const response = await post(url, command, args);
    expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ code })]);
  });

  it('says when to try again if the pool is saturated', async () => {
    const { url } = await serveApp(metadata(), adapter());
    const [slow, ...others] = await Promise.all([
      post(url, 'sleep', { seconds: 0.3 }),
      post(url, 'sleep', { seconds: 0.3 }),
      post(url, 'sleep', { seconds: 0.3 }),
    ]).then((responses) => responses.toSorted((a, b) => a.status - b.status));
    expect(slow?.status).toBe(201);
    for (const refused of others) {
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await refused.json()).toMatchObject({
        code: 'POOL_SATURATED',
        delivery: 'not-started',
        retryable: true,
      });
    }
  });

  it('keeps command lines and stderr to itself', async () => {
    const { url } = await serveApp(metadata(), adapter());
    const response = await fetch(`${url}/started`);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toMatch(/secret/);
  });

  it('maps errors of sessions too', async () => {
    const { url } = await serveApp(metadata(), adapter());
    expect((await fetch(`${url}/session`)).status).toBe(404);
  });
});

@Catch()
class Teapot implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost) {
    host.switchToHttp().getResponse<{ status(code: number): { end(): void } }>().status(418).end();
  }
}

@Controller('own')
@UseFilters(Teapot)
class OwnFilterController extends CallController {}

@Controller('asked')
@UseFilters(SnakepitExceptionFilter)
class AskedController extends CallController {}

describe('SnakepitExceptionFilter', () => {
  it('leaves errors to the filter of a controller', async () => {
    const { url } = await serveApp({ ...metadata(), controllers: [OwnFilterController] });
    expect((await fetch(`${url}/own/session`)).status).toBe(418);
  });

  it('is applied only where it is asked for with httpErrors: false', async () => {
    const { url } = await serveApp({
      imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1, httpErrors: false })],
      controllers: [CallController, AskedController],
    });
    expect((await fetch(`${url}/session`)).status).toBe(500);
    expect((await fetch(`${url}/asked/session`)).status).toBe(404);
  });

  it('hands the error of a microservice handler on as a stream that fails', async () => {
    const { app } = await serveApp(metadata());
    const error = new SnakepitError('POOL_CLOSED', { pool: 'default' });
    const host = new ExecutionContextHost([]);
    host.setType('rpc');
    const result = app.get(SnakepitExceptionFilter).catch(error, host) as Observable<never>;
    await expect(lastValueFrom(result)).rejects.toBe(error);
  });

  it('throws the error again in other contexts', async () => {
    const { app } = await serveApp(metadata());
    const controller = app.get(CallController);
    const creator = app.get(ExternalContextCreator);
    const call = creator.create(
      controller,
      controller.session,
      'session',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      'graphql',
    ) as () => Promise<unknown>;
    await expect(call()).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  });
});
