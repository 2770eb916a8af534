import 'reflect-metadata';
import { Controller, Injectable } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { createSnakepit, PoolService, SnakepitModule, type SnakepitError } from 'nestjs-snakepit';
import { SnakepitContext } from 'nestjs-snakepit/microservices';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';

import { hybridApp, MESSENGERS, messengerPool, messengers } from './support/microservices.js';

interface Caught {
  readonly result?: unknown;
  readonly pattern?: unknown;
  readonly code?: string;
  readonly type?: string | null;
  readonly message?: string;
  readonly data?: unknown;
}

@Injectable()
class Catalogue {
  find(sku: string): number {
    if (sku === 'none') throw new RpcException({ status: 404, message: `no price for ${sku}`, sku });
    return sku.length;
  }
}

@Controller()
class PriceController {
  constructor(private readonly catalogue: Catalogue) {}

  @MessagePattern('price.lookup')
  lookup(@Payload('sku') sku: string): number {
    return this.catalogue.find(sku);
  }

  @MessagePattern({ cmd: 'price', version: 2 })
  later(@Payload() { sku }: { sku: string }): Promise<number> {
    return Promise.resolve(this.catalogue.find(sku) * 2);
  }

  @MessagePattern('who')
  who(@Ctx() context: SnakepitContext): unknown {
    return {
      pattern: context.getPattern(),
      pool: context.getPool(),
      worker: context.getWorker(),
      command: context.getCommand(),
      session: context.getSession(),
      trace: context.getTrace(),
      context: context.getContext(),
    };
  }
}

/** Events that a controller heard. */
const heard = new Subject<readonly [unknown, SnakepitContext]>();
const hears = (count = 1): Promise<(readonly [unknown, SnakepitContext])[]> => {
  const all: (readonly [unknown, SnakepitContext])[] = [];
  return new Promise((resolve) => {
    const subscription = heard.subscribe((each) => {
      all.push(each);
      if (all.length < count) return;
      subscription.unsubscribe();
      resolve(all);
    });
  });
};

@Controller()
class OrderController {
  @EventPattern<string>('order.done')
  done(@Payload() data: unknown, @Ctx() context: SnakepitContext): void {
    heard.next([data, context]);
  }

  @EventPattern({ order: 'paid' })
  paid(@Payload() data: unknown, @Ctx() context: SnakepitContext): void {
    heard.next([['paid', data], context]);
  }
}

describe.each(MESSENGERS)('messages of workers in %s', (messenger) => {
  const metadata = () => ({
    imports: [messengerPool(messengers[messenger]())],
    controllers: [PriceController, OrderController],
    providers: [Catalogue],
  });

  it('are answered by the handlers of @MessagePattern, whose patterns are strings or maps', async () => {
    const { app } = await hybridApp(metadata());
    const pool = app.get(PoolService);
    for (const command of ['ask', 'ask_later']) {
      expect(await pool.execute(command, { pattern: 'price.lookup', data: { sku: 'four' } })).toBe(4);
      const pattern = { version: 2, cmd: 'price' };
      expect(await pool.execute(command, { pattern, data: { sku: 'four' } })).toBe(8);
    }
  });

  it('come with who sends them', async () => {
    const { app } = await hybridApp(metadata());
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const options = { session: 'ann', trace, context: { tenant: 'a' } };
    expect(await app.get(PoolService).execute('ask', { pattern: 'who' }, options)).toEqual({
      pattern: 'who',
      pool: 'default',
      worker: 'default-1',
      command: 'ask',
      ...options,
    });
  });

  it('raise what the handler throws, with the payload of an RpcException', async () => {
    const { app } = await hybridApp(metadata());
    const args = { pattern: 'price.lookup', data: { sku: 'none' } };
    expect(await app.get(PoolService).execute<Caught>('caught', args)).toEqual({
      pattern: 'price.lookup',
      code: 'REMOTE_ERROR',
      type: 'RpcException',
      message: 'no price for none',
      data: { status: 404, message: 'no price for none', sku: 'none' },
    });
    const failure = await app
      .get(PoolService)
      .execute('ask', args)
      .catch((error: SnakepitError) => error);
    expect(failure).toMatchObject({
      code: 'REMOTE_ERROR',
      remote: {
        type: 'MessageError',
        message: expect.stringMatching(/^the message 'price.lookup' failed: no price for none$/) as string,
        data: { pattern: 'price.lookup', code: 'REMOTE_ERROR', data: { status: 404, sku: 'none' } },
      },
    });
  });

  it('are refused with the patterns that there are where nobody answers', async () => {
    const { app } = await hybridApp(metadata());
    expect(await app.get(PoolService).execute<Caught>('caught', { pattern: 'price.looup' })).toMatchObject({
      code: 'UNKNOWN_PATTERN',
      message:
        `nobody answers 'price.looup': no handler has it; those of @MessagePattern are: ` +
        `price.lookup, {"cmd":"price","version":2}, who`,
    });
    expect(await app.get(PoolService).execute<Caught>('caught', { pattern: 'order.done' })).toMatchObject({
      code: 'UNKNOWN_PATTERN',
      message: expect.stringContaining('its handler is for events, which workers send by ctx.emit') as string,
    });
  });

  it('may be events, which the handlers of @EventPattern hear with who sends them', async () => {
    const { app } = await hybridApp(metadata());
    const both = hears(2);
    const session = { session: 'ann', context: { tenant: 'a' } };
    expect(await app.get(PoolService).execute('tell', { name: 'order.done', data: { id: 7 } }, session)).toBe('told');
    await app.get(PoolService).execute('tell', { name: { order: 'paid' } });
    const [[done, context], [paid]] = (await both) as [readonly [unknown, SnakepitContext], readonly [unknown]];
    expect(done).toEqual({ id: 7 });
    expect(paid).toEqual(['paid', null]);
    expect(context.getPool()).toBe('default');
    expect(context.getWorker()).toBe('default-1');
    expect(context.getCommand()).toBe('tell');
    expect(context.getSession()).toBe('ann');
    expect(context.getContext()).toEqual({ tenant: 'a' });
    expect(context.getSignal()).toBeUndefined();
  });
});

describe('events', () => {
  it('of another instance in this process are not heard, nor those of pools that are not served', async () => {
    const pools = {
      served: { adapter: messengers['python over v2'](), size: 1 },
      other: { adapter: messengers['python over v2'](), size: 1 },
    };
    const { app } = await hybridApp(
      {
        imports: [SnakepitModule.forRoot({ pools })],
        controllers: [OrderController, PriceController],
        providers: [Catalogue],
      },
      { server: { pools: ['served'] } },
    );
    const stranger = await createSnakepit({ pools: { served: pools.served } });
    const pool = app.get(PoolService);
    const first = hears();
    try {
      await stranger.pool('served').execute('tell', { name: 'order.done', data: 'a stranger' });
      await pool.execute('tell', { name: 'order.done', data: 'another pool' }, { pool: 'other' });
      await pool.execute('tell', { name: 'order.done', data: 'mine' }, { pool: 'served' });
      expect((await first)[0]?.[0]).toBe('mine');
      const asked = { pattern: 'price.lookup', data: { sku: 'four' } };
      expect(await pool.execute('ask', asked, { pool: 'served' })).toBe(4);
      expect(await pool.execute('caught', asked, { pool: 'other' })).toMatchObject({
        code: 'UNKNOWN_PATTERN',
        message: expect.stringContaining("nobody answers workers of pool 'other'") as string,
      });
    } finally {
      await stranger.close();
    }
  });

  it('reach every handler of their pattern, and one that fails costs nothing else', async () => {
    @Controller()
    class Failing {
      @EventPattern<string>('order.done')
      done(): never {
        throw new Error('not my day');
      }
    }
    const { app } = await hybridApp({ imports: [messengerPool()], controllers: [OrderController, Failing] });
    const two = hears(2);
    await app.get(PoolService).execute('tell', { name: 'order.done', data: 1 });
    await app.get(PoolService).execute('tell', { name: 'nobody.wants.it', data: 2 });
    await app.get(PoolService).execute('tell', { name: 'order.done', data: 3 });
    expect((await two).map(([data]) => data)).toEqual([1, 3]);
  });
});
