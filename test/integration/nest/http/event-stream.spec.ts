import 'reflect-metadata';
import { request, type IncomingMessage } from 'node:http';
import { Controller, Get, Query, Sse } from '@nestjs/common';
import {
  eventStream,
  PoolService,
  python,
  SnakepitModule,
  type PoolOptions,
  type SnakepitModuleExtras,
} from 'nestjs-snakepit';
import { catchError, of } from 'rxjs';
import { describe, expect, it } from 'vitest';

import { entryWith, useScratch } from '../../../support/records.js';
import { waitUntil } from '../../../support/wait-until.js';
import { serveApp } from '../support/apps.js';
import { PLATFORMS } from '../support/http.js';

@Controller()
class StreamController {
  constructor(private readonly pool: PoolService) {}

  @Get('events')
  events(@Query('command') command: string, @Query('args') args: string) {
    return eventStream(this.pool.iterate(command, JSON.parse(args)), { heartbeatMs: 200 });
  }

  @Get('declared')
  declared(@Query('command') command: string, @Query('args') args: string) {
    return eventStream(this.pool.stream(command, JSON.parse(args)));
  }

  @Get('named')
  named() {
    const toEvent = (step: number) => ({ type: 'step', id: `${step}`, retry: 500, data: 'two\r\nlines' });
    return eventStream(this.pool.iterate<number>('count', { limit: 1 }), { toEvent });
  }

  @Get('unsendable')
  unsendable() {
    return eventStream(this.pool.iterate('count', { limit: 9 }), { toEvent: () => ({ data: { big: 1n } }) });
  }

  @Sse('sse')
  sse(@Query('command') command: string, @Query('args') args: string) {
    return this.pool.stream(command, JSON.parse(args));
  }

  @Sse('told')
  told(@Query('command') command: string, @Query('args') args: string) {
    return this.sse(command, args).pipe(catchError((error: Error) => of({ type: 'error', data: error.message })));
  }
}

describe.each(PLATFORMS)('server-sent events on %s', (_name, adapter) => {
  const scratch = useScratch();

  const serve = async (options: Partial<PoolOptions> & SnakepitModuleExtras = {}) => {
    const workers = python({ module: 'test/fixtures/nest/streams.py' });
    const pools = { adapter: workers, size: 1, httpStatuses: { NotFound: 404 }, ...options };
    const { app, url } = await serveApp(
      { imports: [SnakepitModule.forRoot(pools)], controllers: [StreamController] },
      adapter(),
    );
    const urlOf = (command: string, args: unknown, route = 'events'): string =>
      `${url}/${route}?command=${command}&args=${encodeURIComponent(JSON.stringify(args))}`;
    const get = (command: string, args: unknown, route?: string): Promise<Response> =>
      fetch(urlOf(command, args, route));
    return { url, urlOf, get, pool: app.get(PoolService) };
  };

  it('carry the items, and no proxy may keep or change them', async () => {
    const { get } = await serve();
    const response = await get('items', {});
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': expect.stringContaining('no-transform') as string,
      'x-accel-buffering': 'no',
    });
    expect(await response.text()).toBe('data: {"step":1}\n\ndata: two\ndata: lines\n\ndata: null\n\n');
  });

  it('are made of the Observable of a command as well', async () => {
    const { get } = await serve();
    expect(await (await get('items', {}, 'declared')).text()).toContain('data: {"step":1}\n\n');
    expect((await get('lacking', { name: 'it' }, 'declared')).status).toBe(404);
  });

  it('have the type, id and retry that they are given', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/named`);
    expect(await response.text()).toBe('event: step\nid: 0\nretry: 500\ndata: two\ndata: lines\n\n');
  });

  it.each([
    ['a command that there is not', 'nope', {}, 404, 'UNKNOWN_COMMAND'],
    ['arguments that the worker refuses', 'count', { limit: 1, b: 2 }, 422, 'INVALID_ARGUMENTS'],
    ['an exception with a declared status', 'lacking', { name: 'it' }, 404, 'REMOTE_ERROR'],
    ['any other exception', 'count', { limit: 'x' }, 500, 'REMOTE_ERROR'],
    ['the end of the worker', 'die', {}, 503, 'WORKER_EXITED'],
  ])('are answered by a status for %s before the first', async (_, command, args, status, code) => {
    const { get } = await serve();
    const response = await get(command, args);
    expect(await response.json()).toMatchObject({ statusCode: status, code });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('are answered by 503 and Retry-After where no worker is free', async () => {
    const { get, pool } = await serve({ maxQueue: 1, queueTimeoutMs: 300 });
    const busy = pool.execute('nap', { seconds: 1 });
    await waitUntil('the call', () => pool.stats().inFlight === 1);
    const waiting = get('count', { limit: 1 });
    await waitUntil('the queue', () => pool.stats().queued === 1);
    const refused = await get('count', { limit: 1 });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    expect(await refused.json()).toMatchObject({ code: 'POOL_SATURATED' });
    await busy;
    await waiting;
  });

  it.each([
    ['its message where its status is declared', { httpStatuses: { NotFound: 404 } }, 'bad'],
    ['no more than that elsewhere', { httpStatuses: {} }, 'Internal Server Error'],
    [
      'all where that may be seen',
      { httpStatuses: {}, httpErrors: { exposeMessages: true } },
      "'breaking' raised NotFound: bad",
    ],
    ['no more than that without the filter of the module', { httpErrors: false }, 'Internal Server Error'],
  ])('end with an error event when the command fails behind the first, with %s', async (_, options, told) => {
    const { get, pool } = await serve(options);
    const response = await get('breaking', { message: 'bad' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(`data: 1\n\nevent: error\ndata: ${told}\n\n`);
    expect(pool.stats().inFlight).toBe(0);
  });

  it('beat while the command is silent, which begins the response', async () => {
    const { get } = await serve();
    const response = await get('slowly', { seconds: 0.7 });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/^(?:: heartbeat\n\n)+data: at last\n\nevent: error\ndata: too late\n\n$/);
  });

  it.each([true, false])(
    'stop the command with the client, with cancelOnDisconnect: %s',
    async (cancelOnDisconnect) => {
      const { urlOf, pool } = await serve({ cancelOnDisconnect });
      const path = scratch();
      const response = await open(urlOf('ticks', { path }));
      response.on('error', () => {}).resume();
      await entryWith(path, 'began');
      response.destroy();
      await entryWith(path, 'ended');
      await waitUntil('free hands', () => pool.stats().inFlight === 0);
    },
  );

  it.each([true, false])(
    'stop a command that has not yielded anything when its client leaves, with cancelOnDisconnect: %s',
    async (cancelOnDisconnect) => {
      const { urlOf, pool } = await serve({ cancelOnDisconnect });
      const path = scratch();
      const leaving = request(urlOf('brood', { path }));
      leaving.on('error', () => {}).end();
      await entryWith(path, 'began');
      leaving.destroy();
      await entryWith(path, 'ended');
      await waitUntil('free hands', () => pool.stats().inFlight === 0);
    },
  );

  it('suspend the worker while the client does not read', async () => {
    const { urlOf, pool } = await serve();
    const path = scratch();
    const response = await open(urlOf('flood', { path }));
    response.on('error', () => {}).pause();
    // 64 MB are more than sockets on either side take.
    await expect(entryWith(path, 'ended', 1_000)).rejects.toThrow();
    expect(pool.stats().inFlight).toBe(1);
    response.destroy();
    await entryWith(path, 'ended');
  });

  it('are answered by 500 where an item cannot be written, and stop the command', async () => {
    const { url, pool } = await serve();
    const response = await fetch(`${url}/unsendable`);
    expect(response.status).toBe(500);
    await waitUntil('free hands', () => pool.stats().inFlight === 0);
  });

  describe('of @Sse()', () => {
    it('are answered by a status for what is refused at once', async () => {
      const { get, pool } = await serve({ maxQueue: 0 });
      const unknown = await get('nope', {}, 'sse');
      expect(unknown.status).toBe(404);
      const unfit = await get('declared', { limit: 'x' }, 'sse');
      expect(unfit.status).toBe(422);
      const busy = pool.execute('nap', { seconds: 0.5 });
      await waitUntil('the call', () => pool.stats().inFlight === 1);
      const refused = await get('count', { limit: 1 }, 'sse');
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
      await busy;
    });

    it('have begun when a command fails later, and end with an error event', async () => {
      const { get } = await serve();
      const response = await get('lacking', { name: 'it', seconds: 0.2 }, 'sse');
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
      expect(await response.text()).toMatch(/event: error\nid: 1\ndata: there is no it\n\n$/);
    });

    it.each(['nope', 'lacking'])('tell why of %s where the handler makes an event of it', async (command) => {
      const { get } = await serve();
      const response = await get(command, { name: 'it' }, 'told');
      expect(response.status).toBe(200);
      expect(await response.text()).toMatch(/^\nevent: error\nid: 1\ndata: (?:No command 'nope'|.*there is no it)/);
    });
  });
});

describe('eventStream', () => {
  it.each([0, Number.NaN, 2 ** 31])('refuses heartbeats every %d milliseconds', (heartbeatMs) => {
    expect(() => eventStream(nothing(), { heartbeatMs })).toThrow(RangeError);
  });

  it('refuses an Observable that it cannot slow down', () => {
    expect(() => eventStream(of(1))).toThrow(TypeError);
  });

  it('asks for nothing before it is read', async () => {
    let isAsked = false;
    const items = { [Symbol.asyncIterator]: () => ({ next: async () => await ((isAsked = true), nothing().next()) }) };
    const response = eventStream(items);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAsked).toBe(false);
    expect(await response.text()).toBe('');
    expect(isAsked).toBe(true);
  });
});

async function* nothing(): AsyncGenerator<never, undefined> {}

function open(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request(url).on('error', reject).on('response', resolve).end());
}
