import 'reflect-metadata';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  node,
  PoolClient,
  PoolCommand,
  PoolService,
  python,
  Snakepit,
  SnakepitModule,
  type Command,
  type PoolOptions,
  type SessionCommand,
  type SessionStreamCommand,
  type StreamCommand,
} from 'nestjs-snakepit';
import { firstValueFrom, lastValueFrom, of, take, toArray } from 'rxjs';
import { describe, expect, inject, it, vi } from 'vitest';

import { bootApp, createApp, moduleOf, reports } from './support/apps.js';

const onePool = (options: Omit<PoolOptions, 'adapter'> = {}) =>
  SnakepitModule.forRoot({ adapter: reports(), size: 1, ...options });

@PoolClient()
abstract class Reports {
  @PoolCommand() readonly add!: Command<{ a: number; b: number } | [number, number], number>;
  @PoolCommand() readonly pid!: Command<void, number>;
  @PoolCommand('fail') readonly refuse!: Command<{ message?: string }, never>;
  @PoolCommand('sleep', { timeoutMs: 20 }) readonly nap!: Command<{ seconds: number }, number>;
  @PoolCommand({ stream: true }) readonly count!: StreamCommand<{ limit: number }, number>;
  @PoolCommand({ session: true }) readonly visits!: SessionCommand<void, number>;
  @PoolCommand('count', { session: true, stream: true })
  readonly countIn!: SessionStreamCommand<{ limit: number }, number>;

  /** Made of the others. */
  async twice(a: number, b: number): Promise<number> {
    return 2 * (await this.add({ a, b }));
  }
}

const feature = () => [onePool(), SnakepitModule.forFeature([Reports])];
const reportsOf = async () => (await bootApp({ imports: feature() })).get(Reports);

describe('a client', () => {
  it('has members that run commands, with named arguments, positional ones, or none', async () => {
    const client = await reportsOf();
    expect(await client.add({ a: 1, b: 2 })).toBe(3);
    expect(await client.add([3, 4])).toBe(7);
    expect(await client.pid()).toBeGreaterThan(0);
    expect(client.add.name).toBe('add');
  });

  it('has streams, which are cold and stop when nobody is subscribed any more', async () => {
    const items = (await reportsOf()).count({ limit: 1_000_000 });
    expect(await lastValueFrom(items.pipe(take(3), toArray()))).toEqual([0, 1, 2]);
    expect(await firstValueFrom(items)).toBe(0);
  });

  it('has commands in sessions, whose id comes first', async () => {
    const client = await reportsOf();
    expect([await client.visits('ann'), await client.visits('ann'), await client.visits('bob')]).toEqual([1, 2, 1]);
    expect(await lastValueFrom(client.countIn('ann', { limit: 2 }).pipe(toArray()))).toEqual([0, 1]);
    for (const id of ['', undefined as unknown as string])
      await expect(client.visits(id)).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
  });

  it('takes the options of a call, which win over those of the member', async () => {
    const client = await reportsOf();
    await expect(client.nap({ seconds: 0.2 })).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(await client.nap({ seconds: 0.05 }, { timeoutMs: 5_000 })).toBe(0.05);
    const signal = AbortSignal.abort();
    await expect(client.pid(null, { signal })).rejects.toMatchObject({ code: 'CANCELLED', delivery: 'not-started' });
    await expect(client.refuse({ message: 'x' })).rejects.toMatchObject({
      code: 'REMOTE_ERROR',
      remote: { message: 'x' },
    });
  });

  it('may have methods of its own, and be spied on', async () => {
    const client = await reportsOf();
    expect(await client.twice(1, 2)).toBe(6);
    const add = vi.spyOn(client, 'add').mockResolvedValue(10);
    expect(await client.twice(1, 2)).toBe(20);
    expect(add).toHaveBeenCalledWith({ a: 1, b: 2 });
  });

  it('is injected, and works from onModuleInit on', async () => {
    @Injectable()
    class Sums implements OnModuleInit {
      sum: number | undefined;
      constructor(private readonly reports: Reports) {}
      async onModuleInit() {
        this.sum = await this.reports.add({ a: 1, b: 2 });
      }
    }
    const app = await bootApp({
      imports: [onePool(), moduleOf({ imports: [SnakepitModule.forFeature([Reports])], providers: [Sums] })],
    });
    expect(app.get(Sums, { strict: false }).sum).toBe(3);
  });

  it('inherits the commands of its ancestors, and has options for those of its own', async () => {
    @PoolClient({ timeoutMs: 30 })
    abstract class Impatient extends Reports {
      @PoolCommand('sleep') readonly doze!: Command<{ seconds: number }, number>;
      @PoolCommand('sleep', { timeoutMs: Infinity }) readonly rest!: Command<{ seconds: number }, number>;
    }
    const app = await bootApp({ imports: [onePool(), SnakepitModule.forFeature([Impatient])] });
    const client = app.get(Impatient);
    expect(await client.add([1, 1])).toBe(2);
    await expect(client.doze({ seconds: 0.3 })).rejects.toMatchObject({ details: { timeoutMs: 30 } });
    expect(await client.rest({ seconds: 0.05 })).toBe(0.05);
  });

  it('reaches the pool that it names, in Python and Node, over v2 and gRPC', async () => {
    const echo = 'test/fixtures/nest/echo';
    const pools = {
      python: {
        adapter: python({ module: `${echo}.py`, transport: 'grpc', path: [inject('pythonPackages')] }),
        size: 1,
      },
      node: { adapter: node({ module: `${echo}.js` }), size: 1 },
      nodeGrpc: { adapter: node({ module: `${echo}.js`, transport: 'grpc' }), size: 1 },
    };
    @PoolClient({ pool: 'python' })
    class InPython {
      @PoolCommand('shout_back') readonly shout!: Command<{ text: string }, string>;
    }
    @PoolClient({ pool: 'node' })
    class InNode {
      @PoolCommand('shoutBack') readonly shout!: Command<{ text: string }, string>;
      @PoolCommand({ stream: true }) readonly letters!: StreamCommand<{ text: string }, string>;
    }
    @PoolClient({ pool: 'nodeGrpc' })
    class OverGrpc extends InNode {}
    const clients = [InPython, InNode, OverGrpc] as const;
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ pools }), SnakepitModule.forFeature(clients)] });
    for (const client of clients) expect(await app.get(client).shout({ text: 'a' })).toBe('A');
    for (const client of [InNode, OverGrpc])
      expect(await lastValueFrom(app.get(client).letters({ text: 'abc' }).pipe(toArray()))).toEqual(['a', 'b', 'c']);
    const { requests } = app.get(Snakepit).pool('nodeGrpc').stats();
    expect(requests).toBe(2);
  });

  it('is given the module of its pools where that is not global', async () => {
    const own = SnakepitModule.forRoot({ adapter: reports(), size: 1, isGlobal: false });
    const app = await bootApp({ imports: [moduleOf({ imports: [SnakepitModule.forFeature([Reports], own)] })] });
    expect(await app.get(Reports, { strict: false }).add([1, 2])).toBe(3);
    expect(app.get(PoolService, { strict: false }).stats().requests).toBe(1);
  });

  it('is checked and works in a module that is loaded lazily', async () => {
    @PoolClient()
    class Wrong {
      @PoolCommand() readonly subtract!: Command<[number, number], number>;
    }
    const app = await bootApp({ imports: [onePool()] });
    const loader = app.get(LazyModuleLoader);
    const Right = moduleOf({ imports: [SnakepitModule.forFeature([Reports])] });
    const lazy = await loader.load(() => Right);
    expect(await lazy.get(Reports, { strict: false }).add([1, 2])).toBe(3);
    const Bad = moduleOf({ imports: [SnakepitModule.forFeature([Wrong])] });
    await expect(loader.load(() => Bad)).rejects.toThrow(
      /@PoolCommand on Wrong\.subtract: no worker.*offers 'subtract'/,
    );
  });

  it('says that the pools have not started where it is called too early', async () => {
    const app = await createApp({ imports: feature() });
    await expect(app.get(Reports).pid()).rejects.toMatchObject({ code: 'POOL_NOT_READY' });
  });
});

describe('a client in tests', () => {
  @Injectable()
  class Sums {
    constructor(private readonly reports: Reports) {}
    sum(): Promise<number> {
      return this.reports.add({ a: 1, b: 2 });
    }
  }
  const testing = () =>
    Test.createTestingModule({
      imports: [SnakepitModule.forRoot({ adapter: reports(), autoStart: false }), SnakepitModule.forFeature([Reports])],
      providers: [Sums],
    });

  it('is overridden by a value, with no worker at all', async () => {
    const fake: Pick<Reports, 'add' | 'count'> = { add: () => Promise.resolve(5), count: () => of(1) };
    const module = await testing().overrideProvider(Reports).useValue(fake).compile();
    await module.init();
    expect(await module.get(Sums).sum()).toBe(5);
    expect(module.get(Snakepit).pool().workers()).toEqual([]);
    await module.close();
  });

  it('is overridden by a class, which may extend it', async () => {
    class Fake extends Reports {
      override readonly add = () => Promise.resolve(6);
    }
    const module = await testing().overrideProvider(Reports).useClass(Fake).compile();
    await module.init();
    expect(await module.get(Sums).sum()).toBe(6);
    expect(await module.get(Reports).twice(0, 0)).toBe(12);
    await module.close();
  });
});
