import 'reflect-metadata';
import {
  Catch,
  Controller,
  Get,
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
import { Ctx, MessagePattern, Payload, RpcException, Transport, type RequestContext } from '@nestjs/microservices';
import { PoolService } from 'nestjs-snakepit';
import { SNAKEPIT_TRANSPORT, SnakepitContext } from 'nestjs-snakepit/microservices';
import { concat, EMPTY, firstValueFrom, map, NEVER, of, Subject, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

import { hybridApp, messengerPool } from './support/microservices.js';

interface Caught {
  readonly result?: unknown;
  readonly code?: string;
  readonly message?: string;
}

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

describe('a hybrid application', () => {
  it('answers HTTP requests whose commands ask its controllers, by one and the same controller', async () => {
    @Controller()
    class Prices {
      constructor(private readonly pool: PoolService) {}
      @Get('price')
      price() {
        return this.pool.execute('ask', { pattern: 'price.lookup', data: { sku: 'seven!!' } });
      }
      @MessagePattern('price.lookup')
      lookup(@Payload('sku') sku: string): number {
        return sku.length;
      }
    }
    const { app } = await hybridApp({ imports: [messengerPool()], controllers: [Prices] });
    await app.listen(0, '127.0.0.1');
    expect(await (await fetch(`${await app.getUrl()}/price`)).json()).toBe(7);
  });
});
