import 'reflect-metadata';
import { Controller, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { PoolService, python, Snakepit, SnakepitModule } from 'nestjs-snakepit';
import {
  SNAKEPIT_TRANSPORT,
  SnakepitServer,
  type SnakepitContext,
  type SnakepitServerOptions,
  type SnakepitStatus,
  type SnakepitTransportEvents,
} from 'nestjs-snakepit/microservices';
import { firstValueFrom, Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { createApp, moduleOf } from './support/apps.js';
import { hybridApp, messengerPool } from './support/microservices.js';

interface Caught {
  readonly result?: unknown;
  readonly code?: string;
  readonly message?: string;
}

const began = new Subject<void>();
const answers = new Subject<unknown>();

@Controller()
class Slow {
  @MessagePattern('slow')
  slow() {
    began.next();
    return firstValueFrom(answers);
  }
  @MessagePattern('quick')
  quick(): string {
    return 'quick';
  }
}

const metadata = () => ({ imports: [messengerPool()], controllers: [Slow] });
const caught = (pool: PoolService, pattern: string) => pool.execute<Caught>('caught', { pattern });

describe('SnakepitServer', () => {
  it('answers what is in flight before it has closed, and tells those who ask later', async () => {
    const { app, server } = await hybridApp(metadata());
    const pool = app.get(PoolService);
    const states: SnakepitStatus[] = [];
    server.status.subscribe((status) => states.push(status));
    const hasBegun = firstValueFrom(began);
    const call = pool.execute('ask', { pattern: 'slow' });
    await hasBegun;
    const closed = server.close();
    answers.next('answered');
    expect(await call).toBe('answered');
    await closed;
    expect(states).toEqual(['connected', 'disconnected']);
    expect(await caught(pool, 'quick')).toMatchObject({
      code: 'UNKNOWN_PATTERN',
      message: expect.stringContaining('connect a SnakepitServer of nestjs-snakepit/microservices') as string,
    });
    await server.close();
  });

  it('answers while the application shuts down and its pools drain', async () => {
    const { app } = await hybridApp(metadata());
    const hasBegun = firstValueFrom(began);
    const call = app.get(PoolService).execute('ask', { pattern: 'slow' });
    await hasBegun;
    const closed = app.close();
    answers.next('answered');
    expect(await call).toBe('answered');
    await closed;
  });

  it('is a microservice of its own, too, which gets the pools by a factory', async () => {
    const app = await NestFactory.createMicroservice(moduleOf(metadata()), {
      logger: false,
      inject: [Snakepit],
      useFactory: (snakepit: Snakepit) => ({ strategy: new SnakepitServer(snakepit) }),
    });
    await app.listen();
    const pool = app.get(PoolService);
    expect(await pool.execute('ask', { pattern: 'quick' })).toBe('quick');
    const hasBegun = firstValueFrom(began);
    const call = pool.execute('ask', { pattern: 'slow' });
    await hasBegun;
    const closed = app.close();
    answers.next('answered');
    expect(await call).toBe('answered');
    await closed;
    await expect(pool.execute('ask', { pattern: 'quick' })).rejects.toMatchObject({ code: 'POOL_CLOSED' });
  });

  it('tells its state, the changes of its workers, and whose they are', async () => {
    const { app, server } = await hybridApp(metadata());
    expect(server.unwrap()).toBe(app.get(Snakepit));
    const states: string[] = [];
    server.on('status', (status) => states.push(status));
    server.on('worker', ({ to }) => states.push(to));
    await app
      .get(PoolService)
      .execute('die')
      .catch(() => undefined);
    await vi.waitUntil(() => states.at(-1) === 'connected');
    expect(states.filter((state) => state !== 'draining')).toEqual(['disconnected', 'dead', 'ready', 'connected']);
  });

  it('runs the hooks of Nest around its handlers', async () => {
    const { app, server } = await hybridApp(metadata());
    const hooked: unknown[] = [];
    server.setOnProcessingStartHook((transport, context, done) => {
      hooked.push([transport, (context as SnakepitContext).getPattern()]);
      void done();
    });
    server.setOnProcessingEndHook((transport) => hooked.push(transport));
    expect(await app.get(PoolService).execute('ask', { pattern: 'quick' })).toBe('quick');
    expect(hooked).toEqual([[SNAKEPIT_TRANSPORT, 'quick'], SNAKEPIT_TRANSPORT]);
  });

  it('cannot be reached over protocol v1, which the command is told', async () => {
    const adapter = python({ module: 'test/fixtures/nest/messages.py', protocol: 'v1' });
    const { app } = await hybridApp({ imports: [messengerPool(adapter)], controllers: [Slow] });
    await expect(app.get(PoolService).execute('ask', { pattern: 'quick' })).rejects.toMatchObject({
      code: 'REMOTE_ERROR',
      remote: { type: 'SnakepitError', message: expect.stringContaining('v2') as string },
    });
  });
});

describe("a SnakepitError in a handler, with the application's filters", () => {
  @Controller()
  class Failing {
    constructor(private readonly pool: PoolService) {}
    @MessagePattern('fail')
    fail(@Payload() message: string) {
      return this.pool.execute('fail', { message });
    }
    @EventPattern<string>('fail.later')
    failLater() {
      return this.pool.execute('fail', { message: 'an event in vain' });
    }
  }

  afterEach(() => Logger.overrideLogger(false));

  it('reaches the worker as what it is, and the log where nobody waits', async () => {
    const { app } = await hybridApp({ imports: [messengerPool()], controllers: [Failing] }, { inheritAppConfig: true });
    const pool = app.get(PoolService);
    expect(await pool.execute('caught', { pattern: 'fail', data: 'in vain' })).toMatchObject({
      code: 'REMOTE_ERROR',
      type: 'SnakepitError',
      message: "'fail' raised ValueError: in vain",
      data: { code: 'REMOTE_ERROR', delivery: 'ran', remote: { type: 'ValueError', message: 'in vain' } },
    });
    const logged: unknown[] = [];
    Logger.overrideLogger({ log: () => {}, warn: () => {}, error: (message: unknown) => logged.push(message) });
    await pool.execute('tell', { name: 'fail.later' });
    await vi.waitUntil(() => logged.length > 0);
    expect(String(logged[0])).toContain('an event in vain');
  });
});

describe('misuse of SnakepitServer', () => {
  const misuses = [
    [
      'no Snakepit',
      () => new SnakepitServer(undefined as never),
      /got undefined; it takes the Snakepit.*app\.get\(Snakepit\)/,
    ],
    ['the application', () => new SnakepitServer({} as never), /got an object; it takes the Snakepit/],
  ] as const;
  it.each(misuses)('is %s in its constructor', (_, make, message) => {
    expect(make).toThrow(message);
  });

  it('is an unknown option, a bad one, or a pool that there is not', async () => {
    const app = await createApp(metadata());
    const snakepit = app.get(Snakepit);
    const serverOf = (options: object) => () => new SnakepitServer(snakepit, options as SnakepitServerOptions);
    expect(serverOf({ pool: 'default' })).toThrow(/unknown key 'SnakepitServer\.pool'.*allowed are pools/);
    expect(serverOf({ pools: [] })).toThrow(
      /'SnakepitServer\.pools' is a list of 0; allowed is a list of pools' names/,
    );
    expect(serverOf({ pools: ['ml'] })).toThrow(/There is no pool 'ml'\. Pools of this module: default/);
  });

  it('is a second one for the same pools, unless the first has closed', async () => {
    const { app, server } = await hybridApp(metadata());
    const second = app.connectMicroservice({ strategy: new SnakepitServer(app.get(Snakepit)) });
    await expect(second.listen()).rejects.toMatchObject({
      code: 'MISUSE',
      message: expect.stringContaining('connect one SnakepitServer, or close the other first') as string,
    });
    await server.close();
    await second.listen();
    expect(await app.get(PoolService).execute('ask', { pattern: 'quick' })).toBe('quick');
  });

  it('is a message where none is connected, which the worker is told', async () => {
    const app = await createApp({
      imports: [SnakepitModule.forRoot({ adapter: python({ module: 'test/fixtures/nest/messages.py' }), size: 1 })],
    });
    await app.init();
    expect(await caught(app.get(PoolService), 'quick')).toMatchObject({
      code: 'UNKNOWN_PATTERN',
      message: expect.stringContaining('the application answers no messages of workers now') as string,
    });
  });

  it('is a pattern that is none, and an event of Nest that there is not', async () => {
    const { app, server } = await hybridApp(metadata());
    const pool = app.get(PoolService);
    for (const pattern of ['', null, [1]])
      expect(await pool.execute('caught', { pattern })).toMatchObject({
        code: 'INVALID_ARGUMENTS',
        message: expect.stringContaining(
          'the pattern of a message is a non-empty string, a number or a map, not',
        ) as string,
      });
    expect(() => server.on('ready' as keyof SnakepitTransportEvents, () => {})).toThrow(
      /no event 'ready'.*status, worker/,
    );
  });
});
