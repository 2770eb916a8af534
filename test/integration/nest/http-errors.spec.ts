import 'reflect-metadata';
import {
  Body,
  Catch,
  Controller,
  Get,
  Injectable,
  Logger,
  Param,
  Post,
  Sse,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  node,
  PoolService,
  python,
  SessionService,
  SnakepitError,
  SnakepitExceptionFilter,
  SnakepitModule,
  toErrorBody,
  type HttpStatuses,
  type SnakepitModuleExtras,
} from 'nestjs-snakepit';
import { lastValueFrom, type Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { bootError, moduleOf, reports, serveApp } from './support/apps.js';
import { answerOf, PLATFORMS } from './support/http.js';

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

  @Post('readable/:command')
  readable(@Param('command') command: string, @Body() args: object) {
    return this.pool.readable(command, args);
  }

  @Get('events/:kind')
  @Sse()
  events(@Param('kind') kind: string) {
    return this.pool.stream<string>('begun', { kind, message: 'gone' });
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

const STATUSES = { ValueError: 400, NotFound: 404, SoldOut: 409, KeyError: 422, OSError: 502 };

const refusals = (extras: SnakepitModuleExtras = { httpStatuses: STATUSES }) => ({
  imports: [
    SnakepitModule.forRoot({ adapter: python({ module: 'test/fixtures/nest/refusals.py' }), size: 1, ...extras }),
  ],
  controllers: [CallController],
});

const post = (url: string, command: string, args: object, route = 'call') =>
  fetch(`${url}/${route}/${command}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(args),
  });

const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;

describe.each(PLATFORMS)('a failed call on %s', (_name, adapter) => {
  it("answers with the status of its code, and keeps the exception's words to the log", async () => {
    const { url } = await serveApp(metadata(), adapter());
    expect(await answerOf(await post(url, 'fail', { message: 'no such table: /srv/db/salaries' }))).toEqual([
      500,
      {
        statusCode: 500,
        code: 'REMOTE_ERROR',
        message: 'Internal Server Error',
        delivery: 'ran',
        retryable: false,
        id: UUID,
      },
    ]);
  });

  it('says what the exception said where messages may be exposed, and never its traceback', async () => {
    const { url } = await serveApp(refusals({ httpErrors: { exposeMessages: true } }), adapter());
    expect(await answerOf(await post(url, 'refuse', { kind: 'ValueError', message: 'bad row\nin line 3' }))).toEqual([
      500,
      {
        statusCode: 500,
        code: 'REMOTE_ERROR',
        message: "'refuse' raised ValueError: bad row\nin line 3",
        delivery: 'ran',
        retryable: false,
        id: UUID,
        remote: { type: 'ValueError', message: 'bad row\nin line 3' },
      },
    ]);
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

  it.each([
    ['whole', {}, 'Service Unavailable'],
    [
      'beyond their first line where messages may be exposed',
      { httpErrors: { exposeMessages: true } },
      "Pool 'ml' is not ready: the last said:",
    ],
  ])('keeps messages for operators to itself, %s', async (_what, extras, message) => {
    const { url } = await serveApp(refusals(extras), adapter());
    expect(await answerOf(await fetch(`${url}/started`))).toEqual([
      503,
      { statusCode: 503, code: 'POOL_NOT_READY', message, delivery: 'not-started', retryable: true },
    ]);
  });

  it('maps errors of sessions too', async () => {
    const { url } = await serveApp(metadata(), adapter());
    expect((await fetch(`${url}/session`)).status).toBe(404);
  });
});

describe.each(PLATFORMS)('httpStatuses on %s', (_name, adapter) => {
  it("give an exception's answer its status and its message", async () => {
    const { url } = await serveApp(refusals(), adapter());
    expect(
      await answerOf(await post(url, 'refuse', { kind: 'NotFound', message: 'no order 7\nin this shop' })),
    ).toEqual([
      404,
      {
        statusCode: 404,
        code: 'REMOTE_ERROR',
        message: 'no order 7\nin this shop',
        delivery: 'ran',
        retryable: false,
        remote: { type: 'NotFound', message: 'no order 7\nin this shop' },
      },
    ]);
  });

  it.each([
    ['an exception of the language', 'ValueError', 400, 'gone'],
    ['what str() makes of it', 'KeyError', 422, "'gone'"],
    ['a class inside another by its own name', 'SoldOut', 409, 'gone'],
    ['one that only inherits from what is named as a failure', 'UnicodeError', 500, 'Internal Server Error'],
    ['a status above 499 as a failure', 'OSError', 502, 'Bad Gateway'],
  ])('take %s', async (_what, kind, status, message) => {
    const { url } = await serveApp(refusals(), adapter());
    expect(await answerOf(await post(url, 'refuse', { kind, message: 'gone' }))).toEqual([
      status,
      expect.objectContaining({ statusCode: status, code: 'REMOTE_ERROR', message }),
    ]);
  });

  it('apply to a stream that fails before its first byte', async () => {
    const { url } = await serveApp(refusals(), adapter());
    expect(await answerOf(await post(url, 'rows', { kind: 'NotFound', message: 'no rows' }, 'readable'))).toEqual([
      404,
      expect.objectContaining({ message: 'no rows' }),
    ]);
  });

  it('leave other failures the status of their code', async () => {
    const { url } = await serveApp(
      refusals({ httpStatuses: { ...STATUSES, Error: 400, REMOTE_ERROR: 400 } }),
      adapter(),
    );
    expect((await post(url, 'nonsense', {})).status).toBe(404);
    expect((await post(url, 'refuse', { kind: 'NotFound' })).status).toBe(422);
  });

  it("have Node's exceptions too, by their constructors", async () => {
    const { url } = await serveApp(
      {
        imports: [
          SnakepitModule.forRootAsync({
            httpStatuses: { NotFound: 404, string: 418 },
            useFactory: () => ({ adapter: node({ module: 'test/fixtures/nest/refusals.js' }), size: 1 }),
          }),
        ],
        controllers: [CallController],
      },
      adapter(),
    );
    const statusOf = async (kind: string) => (await post(url, 'refuse', { kind, message: 'gone' })).status;
    expect([await statusOf('NotFound'), await statusOf('string'), await statusOf('RangeError')]).toEqual([
      404, 418, 500,
    ]);
  });

  it.each([
    ['what is the client’s fault with its message', 'NotFound', 'gone'],
    ['anything else without', 'ValueError', 'Internal Server Error'],
  ])('tell a stream of events that has begun %s', async (_what, kind, message) => {
    const { url } = await serveApp(refusals({ httpStatuses: { NotFound: 404 } }), adapter());
    const response = await fetch(`${url}/events/${kind}`);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toMatch(/^data: begun$/m);
    expect(text).toMatch(new RegExp(`^event: error\n(?:id: .*\n)?data: ${message}$`, 'm'));
    expect(text).not.toMatch(/raised|Traceback/);
  });
});

describe('httpStatuses', () => {
  it('log what is answered with 500 and above by the id that the client has, and nothing else', async () => {
    const { url } = await serveApp(refusals());
    const logged = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    try {
      await post(url, 'refuse', { kind: 'NotFound', message: 'gone' });
      expect(logged).not.toHaveBeenCalled();
      const [, { id }] = await answerOf(await post(url, 'refuse', { kind: 'OSError', message: 'no disk' }));
      expect(logged).toHaveBeenCalledExactlyOnceWith(
        "'refuse' raised OSError: no disk",
        { id, command: 'refuse', pool: 'default', worker: 'default-1' },
        expect.stringMatching(/^Traceback[\s\S]*refusals\.py/),
      );
    } finally {
      logged.mockRestore();
    }
  });

  it('are those of a filter that a controller asks for whose module cannot inject the pools', async () => {
    const { imports } = refusals({ isGlobal: false, httpErrors: false, httpStatuses: STATUSES });
    const Inside = moduleOf({ imports, providers: [Refuser], exports: [Refuser] });
    const { url } = await serveApp({ imports: [moduleOf({ imports: [Inside], controllers: [ForwardingController] })] });
    expect((await fetch(`${url}/forwarded`)).status).toBe(404);
  });

  it.each([
    ['left out', {}],
    ['undefined', { httpStatuses: undefined }],
  ])('%s are none', async (_what, given) => {
    const { url } = await serveApp(refusals(given as SnakepitModuleExtras));
    expect((await post(url, 'refuse', { kind: 'NotFound', message: 'gone' })).status).toBe(500);
  });

  it.each([
    [
      'a status of success',
      { NotFound: 200 },
      'options.httpStatuses.NotFound',
      /is 200; allowed is an integer from 400 to 599/,
    ],
    ['a status above 599', { NotFound: 600 }, 'options.httpStatuses.NotFound', /is 600/],
    ['a fraction', { 'main.NotFound': 404.5 }, 'options.httpStatuses.main.NotFound', /is 404\.5/],
    ['text', { NotFound: '404' }, 'options.httpStatuses.NotFound', /is "404"/],
    ['no status', { NotFound: undefined }, 'options.httpStatuses.NotFound', /is undefined/],
    ['an empty type', { '': 404 }, 'options.httpStatuses[""]', /a name that is not empty/],
    ['a list', ['NotFound'], 'options.httpStatuses', /is a list of 1; allowed is an object/],
    ['null', null, 'options.httpStatuses', /is null/],
  ])('with %s stop the start', async (_what, given, option, message) => {
    const error = await bootError({
      imports: [
        SnakepitModule.forRoot({ adapter: reports(), size: 1, httpStatuses: given as unknown as HttpStatuses }),
      ],
    });
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS', details: { option } });
    expect(error.message).toMatch(message);
  });

  it.each([
    ['count own members only', 'REMOTE_ERROR', 'constructor', 500],
    ['are for what the command raised, not for the types of other failures', 'INVALID_RESULT', 'NotFound', 502],
  ] as const)('%s', (_what, code, type, status) => {
    const remote = { type, message: 'odd', traceback: '', data: undefined };
    const error = new SnakepitError(code, { command: 'refuse' }, { remote });
    expect(toErrorBody(error, { httpStatuses: STATUSES }).statusCode).toBe(status);
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

@Injectable()
class Refuser {
  constructor(private readonly pool: PoolService) {}

  refuse() {
    return this.pool.execute('refuse', { kind: 'NotFound', message: 'gone' });
  }
}

@Controller()
@UseFilters(SnakepitExceptionFilter)
class ForwardingController {
  constructor(private readonly refuser: Refuser) {}

  @Get('forwarded')
  forwarded() {
    return this.refuser.refuse();
  }
}

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
