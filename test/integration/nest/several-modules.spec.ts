import 'reflect-metadata';
import { Controller, Get, Inject, Param, Post, Sse } from '@nestjs/common';
import { PoolService, python, SnakepitError, SnakepitModule, type SnakepitModuleExtras } from 'nestjs-snakepit';
import { describe, expect, it } from 'vitest';

import { moduleOf, serveApp } from './support/apps.js';
import { answerOf, PLATFORMS } from './support/http.js';

/** Two modules whose pools have the same name, and raise the same; the second is imported last. */
@Controller()
class TwoPoolsController {
  readonly #pools: Record<string, PoolService>;

  constructor(@Inject('first') first: PoolService, @Inject('second') second: PoolService) {
    this.#pools = { first, second };
  }

  @Post('call/:pool')
  call(@Param('pool') pool: string) {
    return this.#pools[pool]!.execute('refuse', { kind: 'NotFound', message: 'gone' });
  }

  @Post('readable/:pool')
  readable(@Param('pool') pool: string) {
    return this.#pools[pool]!.readable('rows', { kind: 'NotFound', message: 'gone' });
  }

  @Get('events/:pool')
  @Sse()
  events(@Param('pool') pool: string) {
    return this.#pools[pool]!.stream<string>('begun', { kind: 'NotFound', message: 'gone' });
  }

  @Post('nobody')
  nobody() {
    const remote = { type: 'NotFound', message: 'gone', traceback: '', data: undefined };
    throw new SnakepitError('REMOTE_ERROR', { command: 'refuse', reason: 'gone' }, { remote });
  }
}

const shop = (name: string, extras: SnakepitModuleExtras) => {
  const snakepit = SnakepitModule.forRoot({
    adapter: python({ module: 'test/fixtures/nest/refusals.py' }),
    size: 1,
    isGlobal: false,
    ...extras,
  });
  return moduleOf({
    imports: [snakepit],
    providers: [{ provide: name, useExisting: PoolService }],
    exports: [name],
  });
};

describe.each(PLATFORMS)('failures of several modules on %s', (_name, adapter) => {
  const serve = (first: SnakepitModuleExtras, second: SnakepitModuleExtras) =>
    serveApp({ imports: [shop('first', first), shop('second', second)], controllers: [TwoPoolsController] }, adapter());
  const ask = async (url: string, path: string) => answerOf(await fetch(`${url}/${path}`, { method: 'POST' }));
  const told = (statusCode: number, message: string) => [
    statusCode,
    expect.objectContaining({ statusCode, code: 'REMOTE_ERROR', message }),
  ];

  it('answer each by the statuses of the module whose pool it was, streams included', async () => {
    const { url } = await serve({ httpStatuses: { NotFound: 404 } }, { httpStatuses: { NotFound: 410 } });
    for (const route of ['call', 'readable']) {
      expect(await ask(url, `${route}/first`)).toEqual(told(404, 'gone'));
      expect(await ask(url, `${route}/second`)).toEqual(told(410, 'gone'));
    }
  });

  it('expose the messages of those alone that say so', async () => {
    const { url } = await serve({ httpErrors: { exposeMessages: true } }, {});
    expect(await ask(url, 'call/first')).toEqual(told(500, "'refuse' raised NotFound: gone"));
    expect(await ask(url, 'call/second')).toEqual(told(500, 'Internal Server Error'));
  });

  it('tell streams of events that have begun what the module says whose pool it was', async () => {
    const { url } = await serve({ httpStatuses: { NotFound: 404 } }, {});
    const eventsOf = async (pool: string) => (await fetch(`${url}/events/${pool}`)).text();
    expect(await eventsOf('first')).toMatch(/^data: gone$/m);
    expect(await eventsOf('second')).toMatch(/^data: Internal Server Error$/m);
  });

  it('answer what came from none of their pools by the status of its code', async () => {
    const { url } = await serve({ httpStatuses: { NotFound: 404 } }, { httpStatuses: { NotFound: 410 } });
    expect(await ask(url, 'nobody')).toEqual(told(500, 'Internal Server Error'));
  });
});
