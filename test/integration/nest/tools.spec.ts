import 'reflect-metadata';
import {
  BadRequestException,
  Body,
  Catch,
  Controller,
  createParamDecorator,
  Get,
  Injectable,
  NotFoundException,
  Query,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentMetadata,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import {
  node,
  PoolService,
  python,
  Snakepit,
  SnakepitModule,
  SnakepitTool,
  SnakepitToolContext,
  TOOL_CONTEXT_TYPE,
  type ToolContext,
} from 'nestjs-snakepit';
import { map, of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../support/wait-until.js';
import { bootApp, serveApp } from './support/apps.js';

const adapters = {
  python: () => python({ module: 'test/fixtures/nest/tools.py' }),
  node: () => node({ module: 'test/fixtures/nest/tools.js' }),
};
const onePool = (adapter = adapters.python()) => SnakepitModule.forRoot({ adapter, size: 1 });

interface Caught {
  readonly result?: unknown;
  readonly type?: string | null;
  readonly message?: string;
  readonly code?: string;
  readonly data?: unknown;
}

async function toolsOf(provider: new (...args: never[]) => object, more: object[] = [], adapter = adapters.python()) {
  const app = await bootApp({ imports: [onePool(adapter)], providers: [provider, ...(more as [])] });
  const pool = app.get(PoolService);
  return (name: string, args: unknown = {}) => pool.execute<Caught>('caught', { name, args });
}

class PriceQuery {
  constructor(readonly sku: string) {}
}

/** Makes the declared class of what is named so, as a ValidationPipe that transforms does. */
@Injectable()
class ToQuery implements PipeTransform {
  transform(value: unknown, { metatype, type }: ArgumentMetadata): unknown {
    if (type === 'custom' || metatype !== PriceQuery) return value;
    const { sku } = value as { sku?: unknown };
    if (typeof sku !== 'string') throw new BadRequestException(['sku must be a string']);
    return new PriceQuery(sku);
  }
}

@Injectable()
class Catalogue {
  find(sku: string): number {
    if (sku === 'none') throw new NotFoundException(`no price for ${sku}`);
    return sku.length;
  }
}

@Injectable()
class Prices {
  constructor(private readonly catalogue: Catalogue) {}

  @SnakepitTool('price.of')
  priceOf({ sku }: PriceQuery, { pool, command, session }: ToolContext) {
    return { sku, price: this.catalogue.find(sku), pool, command, session: session ?? null };
  }
}

describe.each(['python', 'node'] as const)('a tool that a %s worker calls', (language) => {
  it('is a method of a provider with its dependencies, and knows who calls', async () => {
    const app = await bootApp({ imports: [onePool(adapters[language]())], providers: [Prices, Catalogue] });
    const pool = app.get(PoolService);
    expect(await pool.execute('price', { sku: 'four' }, { session: 's' })).toEqual({
      sku: 'four',
      price: 4,
      pool: 'default',
      command: 'price',
      session: 's',
    });
  });

  it("raises an exception of Nest's with its class, message, status and body", async () => {
    const caught = await toolsOf(Prices, [Catalogue], adapters[language]());
    expect(await caught('price_of', { sku: 'none' })).toEqual({
      type: 'NotFoundException',
      message: 'no price for none',
      code: 'REMOTE_ERROR',
      data: { status: 404, body: { message: 'no price for none', error: 'Not Found', statusCode: 404 } },
    });
  });
});

describe('a tool', () => {
  it('may be a method of a controller, be it a route as well', async () => {
    @Controller('rates')
    class Rates {
      @Get()
      @SnakepitTool()
      rate(@Query() query: { of?: string }) {
        return { rate: query.of === 'EUR' ? 1 : 2 };
      }
    }
    const { app, url } = await serveApp({ imports: [onePool()], controllers: [Rates] });
    const pool = app.get(PoolService);
    expect(await pool.execute('call', { name: 'rate', args: { of: 'EUR' } })).toEqual({ rate: 1 });
    expect(await (await fetch(`${url}/rates?of=USD`)).json()).toEqual({ rate: 2 });
  });

  it('is inherited, and overridden it is one tool', async () => {
    class Base {
      @SnakepitTool()
      greet() {
        return 'base';
      }
      @SnakepitTool('kept')
      kept() {
        return this.greet();
      }
    }
    @Injectable()
    class Derived extends Base {
      @SnakepitTool()
      override greet() {
        return 'derived';
      }
    }
    const caught = await toolsOf(Derived);
    expect(await caught('greet')).toEqual({ result: 'derived' });
    expect(await caught('kept')).toEqual({ result: 'derived' });
  });

  it('may belong to what a factory or a value provider gives', async () => {
    class Clock {
      @SnakepitTool('hour')
      hour() {
        return 12;
      }
    }
    class Calendar {
      @SnakepitTool('day')
      day() {
        return 'Monday';
      }
    }
    const app = await bootApp({
      imports: [onePool()],
      providers: [
        { provide: 'CLOCK', useFactory: () => new Clock() },
        { provide: 'CALENDAR', useValue: new Calendar() },
        { provide: 'ALIAS', useExisting: 'CLOCK' },
      ],
    });
    const pool = app.get(PoolService);
    expect(await pool.execute('call', { name: 'hour', args: null })).toBe(12);
    expect(await pool.execute('call', { name: 'day', args: null })).toBe('Monday');
  });

  it('returns the last value of an Observable, and null for undefined', async () => {
    @Injectable()
    class Streams {
      @SnakepitTool()
      numbers() {
        return of(1, 2, 3);
      }
      @SnakepitTool()
      nothing() {}
    }
    const caught = await toolsOf(Streams);
    expect(await caught('numbers')).toEqual({ result: 3 });
    expect(await caught('nothing')).toEqual({ result: null });
  });

  it('gets the context where @SnakepitToolContext() stands, and what own decorators give', async () => {
    const Session = createParamDecorator((_, host: ExecutionContext) => host.getArgByIndex<ToolContext>(1).session);
    @Injectable()
    class Ordered {
      @SnakepitTool()
      who(@SnakepitToolContext() { command }: ToolContext, args: { n: number }, @Session() session: string) {
        return [command, args.n, session];
      }
    }
    const app = await bootApp({ imports: [onePool()], providers: [Ordered] });
    const result = await app.get(PoolService).execute('call', { name: 'who', args: { n: 1 } }, { session: 's' });
    expect(result).toEqual(['call', 1, 's']);
  });

  it('is not one for workers of pools that it, or the pool, leaves out', async () => {
    @Injectable()
    class Secrets {
      @SnakepitTool('open')
      open() {
        return 'open';
      }
      @SnakepitTool('for.b', { pools: ['b'] })
      forB() {
        return 'b';
      }
    }
    const app = await bootApp({
      imports: [
        SnakepitModule.forRoot({
          pools: {
            a: { adapter: adapters.python(), size: 1, tools: ['open', 'for_b'] },
            b: { adapter: adapters.python(), size: 1, tools: ['forB'] },
            c: { adapter: adapters.python(), size: 1, tools: [] },
          },
        }),
      ],
      providers: [Secrets],
    });
    const call = (pool: string, name: string) =>
      app.get(Snakepit).pool(pool).execute<Caught>('caught', { name, args: {} });
    expect(await call('a', 'open')).toEqual({ result: 'open' });
    expect(await call('b', 'for.b')).toEqual({ result: 'b' });
    for (const [pool, name, may] of [
      ['a', 'for.b', 'open'],
      ['b', 'open', 'for.b'],
      ['c', 'open', 'none'],
    ] as const) {
      const { code, message } = await call(pool, name);
      expect(code).toBe('TOOL_FORBIDDEN');
      expect(message).toContain(`workers of pool '${pool}' may not call '${name}', only: ${may};`);
    }
  });
});

describe('around a tool', () => {
  it('pipes make its argument what its type declares, be they global, of the class or of the method', async () => {
    @Injectable()
    class Typed {
      @SnakepitTool()
      kind(query: PriceQuery) {
        return query.constructor.name;
      }
    }
    const caught = await toolsOf(Typed, [{ provide: APP_PIPE, useClass: ToQuery }]);
    expect(await caught('kind', { sku: 'a' })).toEqual({ result: 'PriceQuery' });
    expect(await caught('kind', { sku: 7 })).toMatchObject({
      type: 'BadRequestException',
      data: { status: 400, body: { message: ['sku must be a string'] } },
    });

    @Injectable()
    @UsePipes(ToQuery)
    class TypedToo {
      @SnakepitTool()
      kind(query: PriceQuery) {
        return query.constructor.name;
      }
    }
    expect(await (await toolsOf(TypedToo))('kind', { sku: 'a' })).toEqual({ result: 'PriceQuery' });
  });

  it('guards see what is called, by whom and with what, and refuse it', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class OnlyOdd implements CanActivate {
      canActivate(host: ExecutionContext) {
        const [args, context] = host.getArgs<[{ n: number }, ToolContext]>();
        seen.push([host.getType<string>(), host.getClass().name, host.getHandler().name, context.tool]);
        return args.n % 2 === 1;
      }
    }
    @Injectable()
    @UseGuards(OnlyOdd)
    class Numbers {
      @SnakepitTool('double.it')
      double({ n }: { n: number }) {
        return 2 * n;
      }
    }
    const caught = await toolsOf(Numbers);
    expect(await caught('double_it', { n: 3 })).toEqual({ result: 6 });
    expect(await caught('double_it', { n: 4 })).toMatchObject({ type: 'ForbiddenException', data: { status: 403 } });
    expect(seen[0]).toEqual([TOOL_CONTEXT_TYPE, 'Numbers', 'double', 'double.it']);
  });

  it('global guards and interceptors run as well, in their order', async () => {
    const order: string[] = [];
    const note = (name: string) => {
      @Injectable()
      class Noting implements CanActivate, NestInterceptor {
        canActivate() {
          order.push(`guard ${name}`);
          return true;
        }
        intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
          order.push(`before ${name}`);
          return next.handle().pipe(map((value) => `${name}(${String(value)})`));
        }
      }
      return Noting;
    };
    const [Global, OfClass, OfMethod] = [note('global'), note('class'), note('method')];
    @Injectable()
    @UseGuards(OfClass)
    @UseInterceptors(OfClass)
    class Wrapped {
      @SnakepitTool()
      @UseGuards(OfMethod)
      @UseInterceptors(OfMethod)
      core() {
        return 'core';
      }
    }
    const caught = await toolsOf(Wrapped, [
      { provide: APP_GUARD, useClass: Global },
      { provide: APP_INTERCEPTOR, useClass: Global },
    ]);
    expect(await caught('core')).toEqual({ result: 'global(class(method(core)))' });
    expect(order.filter((each) => each.startsWith('guard'))).toEqual(['guard global', 'guard class', 'guard method']);
  });

  it.each(['global', 'class', 'method'] as const)('an interceptor that stands alone runs: %s', async (where) => {
    @Injectable()
    class Doubling implements NestInterceptor {
      intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(map((value) => [value, value]));
      }
    }
    const [onClass, onMethod] = ['class', 'method'].map((each) =>
      UseInterceptors(...(each === where ? [Doubling] : [])),
    );
    @Injectable()
    @(onClass!)
    class Wrapped {
      @SnakepitTool()
      @(onMethod!)
      core() {
        return 'core';
      }
    }
    const everywhere = where === 'global' ? [{ provide: APP_INTERCEPTOR, useClass: Doubling }] : [];
    const caught = await toolsOf(Wrapped, everywhere);
    expect(await caught('core')).toEqual({ result: ['core', 'core'] });
  });

  it('exception filters replace what it throws, by throwing or by an answer', async () => {
    class OutOfStock extends Error {}
    @Catch(OutOfStock)
    class Softener implements ExceptionFilter {
      catch(error: Error, host: ArgumentsHost) {
        if (host.getType<string>() !== 'snakepit') throw new Error('another type of context');
        if (error.message === 'soft') return 'sold out';
        if (error.message === 'rpc') return throwError(() => new NotFoundException('by Observable'));
        throw new NotFoundException('sold out');
      }
    }
    @Injectable()
    class Stock {
      @SnakepitTool()
      @UseFilters(Softener)
      take({ how }: { how: string }) {
        throw new OutOfStock(how);
      }
    }
    const caught = await toolsOf(Stock);
    expect(await caught('take', { how: 'soft' })).toEqual({ result: 'sold out' });
    expect(await caught('take', { how: 'hard' })).toMatchObject({ type: 'NotFoundException', message: 'sold out' });
    expect(await caught('take', { how: 'rpc' })).toMatchObject({ type: 'NotFoundException', message: 'by Observable' });
  });

  it('decorators of HTTP parameters mean nothing', async () => {
    @Controller()
    class Mixed {
      @SnakepitTool()
      both(@Body() args: { n: number }) {
        return args.n;
      }
    }
    const app = await bootApp({ imports: [onePool()], controllers: [Mixed] });
    expect(await app.get(PoolService).execute('call', { name: 'both', args: { n: 3 } })).toBe(3);
  });
});

describe('shutdown', () => {
  it('lets a call, and what its tool calls in turn, come to their ends', async () => {
    let entered = (): void => {};
    const inTool = new Promise<void>((resolve) => (entered = resolve));
    @Injectable()
    class Nested {
      constructor(private readonly pool: PoolService) {}
      @SnakepitTool()
      async nest() {
        entered();
        await closing;
        return this.pool.execute('call', { name: 'leaf', args: null });
      }
      @SnakepitTool()
      leaf() {
        return 'leaf';
      }
    }
    const app = await bootApp({ imports: [onePool()], providers: [Nested] });
    const snakepit = app.get(Snakepit);
    let begin = (): void => {};
    const closing = new Promise<void>((resolve) => (begin = resolve));
    const call = app.get(PoolService).execute('call', { name: 'nest', args: null });
    await inTool;
    const closed = app.close();
    await waitUntil('the drain', () => snakepit.pool().status === 'down');
    const refused = snakepit.pool().execute('call', { name: 'leaf', args: null });
    await expect(refused).rejects.toMatchObject({ code: 'POOL_CLOSED' });
    begin();
    expect(await call).toBe('leaf');
    await closed;
    expect(snakepit.pool().stats().pids).toEqual([]);
  });
});
