import 'reflect-metadata';
import { Inject, Injectable, Logger, type LoggerService } from '@nestjs/common';
import { ClientsModule } from '@nestjs/microservices';
import { PoolService, Snakepit, SnakepitModule, subscribe } from 'nestjs-snakepit';
import {
  provideSnakepitClient,
  SnakepitClient,
  SnakepitRecordBuilder,
  type SnakepitClientOptions,
  type SnakepitStatus,
  type WorkerChange,
} from 'nestjs-snakepit/microservices';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { bootApp, bootError, createApp, moduleOf } from './support/apps.js';
import { messengerPool, messengers } from './support/microservices.js';

const registered = (options: SnakepitClientOptions = {}) =>
  ClientsModule.register([{ name: 'ML', customClass: SnakepitClient, options }]);
const clientApp = async (options?: SnakepitClientOptions) => {
  const app = await bootApp({ imports: [messengerPool(), registered(options)] });
  return { app, client: app.get<SnakepitClient>('ML') };
};
/** The command whose worker tells that its caller has left. */
const left = (): Promise<unknown> =>
  new Promise((resolve) => {
    const leave = subscribe('snakepit:worker-event', ({ name, data }) => {
      if (name !== 'left') return;
      leave();
      resolve(data);
    });
  });

describe('SnakepitClient', () => {
  it('sends messages to the pool of the application that ClientsModule registers it in', async () => {
    const { client } = await clientApp();
    expect(await firstValueFrom(client.send('double', { value: 21 }))).toBe(42);
    expect(await firstValueFrom(client.send({ cmd: 'double' }, [4]))).toBe(8);
  });

  it('can be registered by a factory that is given the pools, and provided without ClientsModule', async () => {
    @Injectable()
    class Doubler {
      constructor(@Inject('HERE') readonly here: SnakepitClient) {}
    }
    const app = await bootApp({
      imports: [
        messengerPool(),
        ClientsModule.registerAsync([
          {
            name: 'ML',
            inject: [Snakepit],
            useFactory: (snakepit: Snakepit) => ({ customClass: SnakepitClient, options: { snakepit } }),
          },
        ]),
      ],
      providers: [Doubler, provideSnakepitClient('HERE', { timeoutMs: 5_000 })],
    });
    for (const client of [app.get<SnakepitClient>('ML'), app.get(Doubler).here])
      expect(await firstValueFrom(client.send('double', { value: 2 }))).toBe(4);
  });

  it('emits every item of what the workers call a stream', async () => {
    const { client } = await clientApp();
    expect(await lastValueFrom(client.send('count', { limit: 4 }).pipe(toArray()))).toEqual([0, 1, 2, 3]);
  });

  it.each([
    ['a call', 'wait'],
    ['a stream', 'ticks'],
  ])('cancels %s in the worker when nobody is subscribed any more', async (_, command) => {
    const { client, app } = await clientApp();
    const told = left();
    const subscription = client.send(command, {}).subscribe();
    // The only worker has it as soon as it is not idle.
    await vi.waitUntil(() => app.get(PoolService).stats().inFlight === 1);
    subscription.unsubscribe();
    expect(await told).toBe(command);
  });

  it('cancels a stream of which some items were enough', async () => {
    const { client } = await clientApp();
    const told = left();
    expect(await lastValueFrom(client.send('ticks', {}).pipe(take(3), toArray()))).toEqual([0, 1, 2]);
    expect(await told).toBe('ticks');
  });

  it('is cold: every subscription is a call, and none is none', async () => {
    const { client, app } = await clientApp();
    const doubled = client.send('double', { value: 1 });
    expect(app.get(PoolService).stats().requests).toBe(0);
    expect([await firstValueFrom(doubled), await firstValueFrom(doubled)]).toEqual([2, 2]);
    expect(app.get(PoolService).stats().requests).toBe(2);
  });

  it('fails with the errors of the pool', async () => {
    const { client } = await clientApp();
    await expect(firstValueFrom(client.send('fail', {}))).rejects.toMatchObject({
      code: 'REMOTE_ERROR',
      remote: { type: 'ValueError', message: 'no such luck' },
    });
    await expect(firstValueFrom(client.send('dubble', {}))).rejects.toMatchObject({ code: 'UNKNOWN_COMMAND' });
    await expect(firstValueFrom(client.send({ command: 'double' }, {}))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENTS',
      message: expect.stringContaining('give the name of a command, or { cmd: name }') as string,
    });
    await expect(firstValueFrom(client.send('double', null))).rejects.toThrow(/invalid data or message pattern/);
  });

  it('takes options of the client and of the message, and what a dispatch hook writes', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { client } = await clientApp({ timeoutMs: 30 });
    await expect(firstValueFrom(client.send('wait', {}))).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
    client.setOnDispatchHook((packet) => {
      packet.metadata = { traceparent, tenant: 'a', language: 'en' };
    });
    const options = { session: 'ann', context: { tenant: 'b' }, timeoutMs: 10_000 };
    const record = new SnakepitRecordBuilder({}).setOptions(options).build();
    expect(await firstValueFrom(client.send('facts', record))).toEqual({
      session: 'ann',
      trace: { traceparent },
      context: { tenant: 'b', language: 'en' },
    });
    const leaving = new AbortController();
    const call = firstValueFrom(
      client.send('wait', new SnakepitRecordBuilder({}).setOptions({ signal: leaving.signal }).build()),
    );
    leaving.abort();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('reaches the pool that it names', async () => {
    const pools = {
      one: { adapter: messengers['python over v2'](), size: 1 },
      two: { adapter: messengers['python over v2'](), size: 1 },
    };
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ pools }), registered({ pool: 'two' })] });
    await firstValueFrom(app.get<SnakepitClient>('ML').send('double', { value: 1 }));
    expect(app.get(Snakepit).pool('one').stats().requests).toBe(0);
    expect(app.get<SnakepitClient>('ML').unwrap().stats()).toMatchObject({ pool: 'two', requests: 1 });
  });
});

describe('SnakepitClient.emit', () => {
  const logged: string[] = [];
  const logger: LoggerService = { log: () => {}, warn: () => {}, error: (message: string) => logged.push(message) };
  afterEach(() => {
    logged.length = 0;
    Logger.overrideLogger(false);
  });

  it('starts the command at once, and completes when the pool has taken it', async () => {
    const { client, app } = await clientApp();
    client.emit('tell', { name: 'left', data: 'without a subscription' });
    expect(await left()).toBe('without a subscription');
    const told = left();
    const record = new SnakepitRecordBuilder({}).setOptions({ timeoutMs: 200 }).build();
    await lastValueFrom(client.emit('wait', record));
    expect(app.get(PoolService).stats()).toMatchObject({ requests: 2, inFlight: 1 });
    expect(await told).toBe('wait');
  });

  it('logs what comes of it when that is a failure, of a stream too', async () => {
    const { client } = await clientApp();
    Logger.overrideLogger(logger);
    client.emit('fail', { message: 'lost' });
    client.emit('count', { limit: 'many' });
    await vi.waitUntil(() => logged.length === 2);
    expect(logged[0]).toContain(`'fail', which was emitted, failed: SnakepitError: 'fail' raised ValueError: lost`);
    expect(logged[1]).toContain(`'count', which was emitted, failed`);
  });

  it('fails where the pool refuses it', async () => {
    const { client } = await clientApp();
    Logger.overrideLogger(logger);
    await expect(lastValueFrom(client.emit('dubble', {}))).rejects.toMatchObject({ code: 'UNKNOWN_COMMAND' });
    await expect(lastValueFrom(client.emit('', {}))).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
  });
});

describe('the state of a SnakepitClient', () => {
  it('is that of its pool', async () => {
    const app = await createApp({ imports: [messengerPool(), registered()] });
    const client = app.get<SnakepitClient>('ML');
    const states: SnakepitStatus[] = [];
    const changes: WorkerChange[] = [];
    client.on('worker', (change) => changes.push(change));
    const told: SnakepitStatus[] = [];
    client.on('status', (status) => told.push(status));
    client.status.subscribe((status) => states.push(status));
    await app.init();
    await vi.waitUntil(() => states.at(-1) === 'connected');
    await expect(firstValueFrom(client.send('die', {}))).rejects.toMatchObject({ code: 'WORKER_EXITED' });
    await vi.waitUntil(() => states.length === 4);
    expect(states).toEqual(['disconnected', 'connected', 'disconnected', 'connected']);
    expect(told).toEqual(states);
    expect(changes.map(({ to }) => to)).toEqual(['ready', 'draining', 'dead', 'ready']);
    await app.close();
    expect(states.at(-1)).toBe('disconnected');
  });

  it('is watched no more when it is closed, and again when it connects', async () => {
    const { client } = await clientApp();
    const states: SnakepitStatus[] = [];
    client.status.subscribe((status) => states.push(status));
    client.close();
    client.close();
    await client.connect();
    expect(states).toEqual(['connected', 'disconnected', 'connected']);
    client.close();
    expect(await firstValueFrom(client.send('double', { value: 3 }))).toBe(6);
  });
});

describe('misuse of SnakepitClient', () => {
  it('is an unknown option, or a bad one', () => {
    expect(() => new SnakepitClient({ timeout: 5 } as SnakepitClientOptions)).toThrow(
      /unknown key 'SnakepitClient\.timeout'.*allowed are snakepit, pool/,
    );
    expect(() => new SnakepitClient({ pool: '' })).toThrow(/'SnakepitClient\.pool' is "".*a pool's name/);
  });

  it('is a pool that there is not', async () => {
    const error = await bootError({ imports: [messengerPool(), registered({ pool: 'mm' })] });
    expect(error).toMatchObject({ code: 'POOL_NOT_FOUND' });
    expect(error.message).toContain("There is no pool 'mm'. Pools of this module: default");
  });

  it('is its use without pools', async () => {
    await expect(firstValueFrom(new SnakepitClient().send('double', {}))).rejects.toMatchObject({
      code: 'MISUSE',
      message: expect.stringMatching(/has no pools.*name the pools by 'snakepit'/) as string,
    });
    expect(() => new SnakepitClient().unwrap()).toThrow(/has no pools/);
  });

  it('is two SnakepitModules between which it does not say', async () => {
    const own = () =>
      SnakepitModule.forRoot({ adapter: messengers['python over v2'](), size: 1, isGlobal: false, autoStart: false });
    const error = await bootError({
      imports: [moduleOf({ imports: [own()] }), moduleOf({ imports: [own()] }), registered()],
    });
    expect(error).toMatchObject({ code: 'MISUSE' });
    expect(error.message).toMatch(/finds several SnakepitModules; say which by 'snakepit'/);
  });

  it('is an event that there is not', async () => {
    const { client } = await clientApp();
    expect(() => client.on('connect' as 'status', () => {})).toThrow(/no event 'connect'.*status, worker/);
  });
});
