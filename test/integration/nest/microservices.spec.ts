import 'reflect-metadata';
import {
  Catch,
  Controller,
  Get,
  Injectable,
  Inject,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  Ctx,
  EventPattern,
  MessagePattern,
  Payload,
  RpcException,
  Transport,
  type RequestContext,
} from '@nestjs/microservices';
import { createSnakepit, PoolService, SnakepitModule, type SnakepitError } from 'nestjs-snakepit';
import { SNAKEPIT_TRANSPORT, SnakepitContext } from 'nestjs-snakepit/microservices';
import { concat, EMPTY, map, NEVER, of, Subject, throwError, firstValueFrom, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

import { serveApp } from './support/apps.js';
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

const oneController = (controller: new (...args: never[]) => object) => ({
  imports: [messengerPool()],
  controllers: [controller],
});
const answerOf = async (controller: new (...args: never[]) => object, pattern: string, data: unknown = null) => {
  const { app } = await hybridApp(oneController(controller));
  return app.get(PoolService).execute<Caught>('caught', { pattern, data });
};

describe('the answer of a handler', () => {
  @Controller()
  class Answers {
    @MessagePattern('values')
    values(): Observable<number> {
      return of(1, 2, 3);
    }
    @MessagePattern('none')
    none(): Observable<never> {
      return EMPTY;
    }
    @MessagePattern('nothing')
    nothing(): void {}
    @MessagePattern('half')
    half(): Observable<number> {
      return concat(
        of(1),
        throwError(() => new RpcException('halfway')),
      );
    }
    @MessagePattern('accident')
    accident(): never {
      throw new RangeError('a secret of the host');
    }
    @MessagePattern('unsendable')
    unsendable(): unknown {
      return { callback: () => {} };
    }
  }

  it.each([
    ['values', 3],
    ['none', null],
    ['nothing', null],
  ])('of %s is the last value, or null', async (pattern, result) => {
    expect(await answerOf(Answers, pattern)).toEqual({ result });
  });

  it('fails where its Observable does', async () => {
    expect(await answerOf(Answers, 'half')).toMatchObject({ code: 'REMOTE_ERROR', message: 'halfway' });
  });

  it('keeps to itself what it did not mean to tell', async () => {
    const told = await answerOf(Answers, 'accident');
    expect(told).toMatchObject({ code: 'REMOTE_ERROR', message: 'Internal server error' });
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  it('is refused where it cannot be sent, with the path', async () => {
    expect(await answerOf(Answers, 'unsendable')).toMatchObject({
      code: 'INVALID_RESULT',
      message: expect.stringContaining('callback') as string,
    });
  });
});

describe('a handler', () => {
  class OnlyTenants implements CanActivate {
    canActivate(host: ExecutionContext): boolean {
      return 'tenant' in host.switchToRpc().getContext<SnakepitContext>().getContext();
    }
  }
  class Enveloping implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler) {
      return next.handle().pipe(map((value: unknown) => ({ value })));
    }
  }
  @Catch(RangeError)
  class ToText {
    catch(error: RangeError) {
      return throwError(() => ({ code: 7, message: error.message }));
    }
  }

  @Controller()
  class Guarded {
    @UseGuards(OnlyTenants)
    @UseInterceptors(Enveloping)
    @UsePipes(ParseIntPipe)
    @MessagePattern('square')
    square(@Payload() value: number): number {
      return value * value;
    }

    @UseFilters(ToText)
    @MessagePattern('refuse')
    refuse(): never {
      throw new RangeError('not today');
    }
  }

  it('has its guards, pipes, interceptors and filters', async () => {
    const { app } = await hybridApp(oneController(Guarded));
    const pool = app.get(PoolService);
    const ask = (data: unknown, context?: Record<string, string>) =>
      pool.execute<Caught>('caught', { pattern: 'square', data }, { context });
    expect(await ask('5', { tenant: 'a' })).toEqual({ result: { value: 25 } });
    expect(await ask('5')).toMatchObject({ message: 'Forbidden resource' });
    expect(await ask('five', { tenant: 'a' })).toMatchObject({ code: 'REMOTE_ERROR' });
    expect(await pool.execute('caught', { pattern: 'refuse' })).toMatchObject({
      message: 'not today',
      data: { code: 7, message: 'not today' },
    });
  });

  it('may be made for each message, with who sends it as the request', async () => {
    @Controller({ scope: Scope.REQUEST })
    class PerMessage {
      constructor(@Inject(REQUEST) private readonly request: RequestContext<unknown, SnakepitContext>) {}
      @MessagePattern('whose')
      whose(): unknown {
        return [this.request.data, this.request.getContext().getSession()];
      }
    }
    const { app } = await hybridApp(oneController(PerMessage));
    const asked = app.get(PoolService).execute('ask', { pattern: 'whose', data: 5 }, { session: 'ann' });
    expect(await asked).toEqual([5, 'ann']);
  });

  it('may call the very pool whose only worker waits for it', async () => {
    @Controller()
    class Nested {
      constructor(private readonly pool: PoolService) {}
      @MessagePattern('double')
      double(@Payload() value: number) {
        return this.pool.execute('double', { value });
      }
    }
    const { app } = await hybridApp(oneController(Nested));
    for (const command of ['ask', 'ask_later'])
      expect(await app.get(PoolService).execute(command, { pattern: 'double', data: 21 })).toBe(42);
  });

  it('is for workers only where it names their transport, and not where it names another', async () => {
    @Controller()
    class Transports {
      @MessagePattern('mine', SNAKEPIT_TRANSPORT)
      mine(): string {
        return 'mine';
      }
      @MessagePattern('theirs', Transport.TCP)
      theirs(): string {
        return 'theirs';
      }
    }
    const { app } = await hybridApp(oneController(Transports));
    expect(await app.get(PoolService).execute('ask', { pattern: 'mine' })).toBe('mine');
    expect(await app.get(PoolService).execute('caught', { pattern: 'theirs' })).toMatchObject({
      code: 'UNKNOWN_PATTERN',
    });
  });

  it('hears that nobody waits any more when the caller leaves', async () => {
    const began = new Subject<AbortSignal>();
    @Controller()
    class Endless {
      @MessagePattern('endless')
      endless(@Ctx() context: SnakepitContext): Observable<never> {
        began.next(context.getSignal()!);
        return NEVER;
      }
    }
    const { app } = await hybridApp(oneController(Endless));
    const leaving = new AbortController();
    const signal = firstValueFrom(began);
    const call = app.get(PoolService).execute('ask', { pattern: 'endless' }, { signal: leaving.signal });
    const told = await signal;
    leaving.abort();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(told.aborted).toBe(true);
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

describe('a hybrid application', () => {
  it('answers HTTP requests whose commands ask its controllers', async () => {
    @Controller()
    class Prices {
      constructor(private readonly pool: PoolService) {}
      @Get('price')
      price() {
        return this.pool.execute('ask', { pattern: 'price.lookup', data: { sku: 'seven!!' } });
      }
    }
    const { url } = await serveHybrid({
      imports: [messengerPool()],
      controllers: [Prices, PriceController],
      providers: [Catalogue],
    });
    expect(await (await fetch(`${url}/price`)).json()).toBe(7);
  });
});

async function serveHybrid(metadata: Parameters<typeof serveApp>[0]) {
  const { app } = await hybridApp(metadata);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}
