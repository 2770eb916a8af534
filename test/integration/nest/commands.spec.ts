import 'reflect-metadata';
import {
  applyDecorators,
  Controller,
  Get,
  Injectable,
  Module,
  Param,
  ParseIntPipe,
  Scope,
  SetMetadata,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleInit,
} from '@nestjs/common';
import { LazyModuleLoader, Reflector } from '@nestjs/core';
import {
  commandArgs,
  node,
  PoolService,
  pulled,
  python,
  SessionId,
  SnakepitCommand,
  SnakepitModule,
} from 'nestjs-snakepit';
import { lastValueFrom, map, take, toArray, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bootApp, createApp, moduleOf, reports, serveApp } from './support/apps.js';

const onePool = () => SnakepitModule.forRoot({ adapter: reports(), size: 1 });

@Injectable()
class Sums {
  readonly offset = 100;

  @SnakepitCommand()
  add(_a: number, _b: number): Promise<number> {
    return commandArgs();
  }

  @SnakepitCommand('add')
  shifted(value: number): Promise<number> {
    return commandArgs({ a: value, b: this.offset });
  }

  @SnakepitCommand('add')
  async looked(value: number): Promise<number> {
    await Promise.resolve();
    return commandArgs([value, this.offset]);
  }

  @SnakepitCommand('pid')
  pid(): Promise<number> {
    return commandArgs();
  }

  @SnakepitCommand('fail')
  refusing(): Promise<number> {
    throw new RangeError('not today');
  }

  @SnakepitCommand('sleep', { timeoutMs: 20 })
  sleep(_seconds: number): Promise<number> {
    return commandArgs();
  }

  @SnakepitCommand({ stream: true })
  count(limit: number): Observable<number> {
    return commandArgs({ limit });
  }

  /** The body comes to its arguments in its own time. */
  @SnakepitCommand('count', { stream: true })
  counted(limit: Promise<number>): Observable<number> {
    return limit.then((value) => commandArgs({ limit: value })) as never;
  }

  @SnakepitCommand('visits')
  visit(@SessionId() _session: string): Promise<number> {
    return commandArgs();
  }

  @SnakepitCommand('add')
  addIn(_a: number, @SessionId() _session: string, _b: number): Promise<number> {
    return commandArgs();
  }
}

describe('a @SnakepitCommand method', () => {
  it('sends its parameters in order when its body maps nothing', async () => {
    const app = await bootApp({ imports: [onePool()], providers: [Sums] });
    expect(await app.get(Sums).add(1, 2)).toBe(3);
    expect(await app.get(Sums).pid()).toBe(app.get(PoolService).stats().pids[0]);
  });

  it('sends what its body returns, which sees the instance', async () => {
    const app = await bootApp({ imports: [onePool()], providers: [Sums] });
    expect(await app.get(Sums).shifted(1)).toBe(101);
    expect(await app.get(Sums).looked(2)).toBe(102);
  });

  it('rejects with what its body throws', async () => {
    const app = await bootApp({ imports: [onePool()], providers: [Sums] });
    await expect(app.get(Sums).refusing()).rejects.toThrow(RangeError);
  });

  it('passes its options to every call', async () => {
    const app = await bootApp({ imports: [onePool()], providers: [Sums] });
    await expect(app.get(Sums).sleep(0.2)).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
  });

  it('returns the items of a stream as a cold Observable', async () => {
    const app = await bootApp({ imports: [onePool()], providers: [Sums] });
    const items = app.get(Sums).count(5);
    expect(await lastValueFrom(items.pipe(toArray()))).toEqual([0, 1, 2, 3, 4]);
    expect(await lastValueFrom(items.pipe(take(2), toArray()))).toEqual([0, 1]);
  });

  it('gives the items of a stream one by one to whoever pulls them', async () => {
    const app = await bootApp({ imports: [onePool()], providers: [Sums] });
    const sums = app.get(Sums);
    for (const stream of [sums.count(1e9), sums.counted(Promise.resolve(1e9))]) {
      const seen: number[] = [];
      for await (const item of pulled(stream)) {
        seen.push(item);
        if (item === 2) break;
      }
      expect(seen).toEqual([0, 1, 2]);
      // The pool has one worker, which the loop has left.
      expect(await sums.add(1, 2)).toBe(3);
    }
    const failing = pulled(sums.counted(Promise.reject(new RangeError('no limit'))));
    await expect(failing[Symbol.asyncIterator]().next()).rejects.toThrow(RangeError);
  });

  it('calls within the session that @SessionId() names, which is no argument', async () => {
    const app = await bootApp({ imports: [onePool()], providers: [Sums] });
    const sums = app.get(Sums);
    expect([await sums.visit('ann'), await sums.visit('ann'), await sums.visit('bob')]).toEqual([1, 2, 1]);
    expect(await sums.addIn(1, 'ann', 2)).toBe(3);
    await expect(sums.visit('')).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
  });

  it('runs the pool it names', async () => {
    @Injectable()
    class Both {
      @SnakepitCommand('pid')
      usual(): Promise<number> {
        return commandArgs();
      }
      @SnakepitCommand('pid', { pool: 'ml' })
      ml(): Promise<number> {
        return commandArgs();
      }
    }
    const pools = { default: { adapter: reports(), size: 1 }, ml: { adapter: reports(), size: 1 } };
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ pools })], providers: [Both] });
    expect(await app.get(Both).usual()).not.toBe(await app.get(Both).ml());
  });

  it('runs commands of Python and of Node side by side', async () => {
    @Injectable()
    class Polyglot {
      @SnakepitCommand('shout_back', { pool: 'python' })
      inPython(text: string): Promise<string> {
        return commandArgs({ text });
      }
      @SnakepitCommand('shoutBack', { pool: 'node' })
      inNode(text: string): Promise<string> {
        return commandArgs({ text });
      }
      @SnakepitCommand('letters', { pool: 'node', stream: true })
      letters(text: string): Observable<string> {
        return commandArgs({ text });
      }
    }
    const pools = {
      python: { adapter: python({ module: 'test/fixtures/nest/echo.py' }), size: 1 },
      node: { adapter: node({ module: 'test/fixtures/nest/echo.js' }), size: 1 },
    };
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ pools })], providers: [Polyglot] });
    const polyglot = app.get(Polyglot);
    expect(await Promise.all([polyglot.inPython('a'), polyglot.inNode('b')])).toEqual(['A', 'B']);
    expect(await lastValueFrom(polyglot.letters('abc').pipe(toArray()))).toEqual(['a', 'b', 'c']);
  });

  it('works from onModuleInit on, and says so before', async () => {
    @Injectable()
    class Eager implements OnModuleInit {
      sum: number | undefined;
      readonly tooEarly: Promise<unknown>;
      constructor(private readonly sums: Sums) {
        this.tooEarly = sums.add(1, 2).catch((error: unknown) => error);
      }
      async onModuleInit() {
        this.sum = await this.sums.add(1, 2);
      }
    }
    const app = await createApp({ imports: [onePool()], providers: [Sums, Eager] });
    await app.init();
    expect(app.get(Eager).sum).toBe(3);
    expect(await app.get(Eager).tooEarly).toMatchObject({
      code: 'MISUSE',
      message: expect.stringContaining('Sums.add() was called before the application had initialized') as string,
    });
  });

  it('says that an instance not made by Nest has no pool', async () => {
    await expect(new Sums().add(1, 2)).rejects.toMatchObject({
      code: 'MISUSE',
      message: expect.stringContaining('Sums.add()') as string,
    });
    await expect(lastValueFrom(new Sums().count(1))).rejects.toMatchObject({ code: 'MISUSE' });
  });

  it('is inherited, and can be overridden', async () => {
    @Injectable()
    class Doubled extends Sums {
      override async add(a: number, b: number): Promise<number> {
        return 2 * (await super.add(a, b));
      }
    }
    const app = await bootApp({ imports: [onePool()], providers: [Doubled] });
    expect(await app.get(Doubled).add(1, 2)).toBe(6);
    expect(await app.get(Doubled).shifted(1)).toBe(101);
  });

  it('works in request-scoped and transient providers', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest extends Sums {}
    @Injectable({ scope: Scope.TRANSIENT })
    class PerUse extends Sums {}
    const app = await bootApp({ imports: [onePool()], providers: [PerRequest, PerUse] });
    expect(await (await app.resolve(PerRequest)).add(1, 2)).toBe(3);
    expect(await (await app.resolve(PerUse)).add(1, 2)).toBe(3);
  });

  it('works in providers that a factory or a value gives', async () => {
    const providers = [
      { provide: 'made', useFactory: () => new Sums() },
      { provide: 'given', useValue: new Sums() },
    ];
    const app = await bootApp({ imports: [onePool()], providers });
    expect(await app.get<Sums>('made').add(1, 2)).toBe(3);
    expect(await app.get<Sums>('given').add(1, 2)).toBe(3);
  });

  it('works in a module that is loaded lazily', async () => {
    const app = await bootApp({ imports: [onePool()] });
    const LazyModule = moduleOf({ providers: [Sums] });
    const lazy = await app.get(LazyModuleLoader).load(() => LazyModule);
    expect(await lazy.get(Sums).add(1, 2)).toBe(3);
  });

  it('calls the pools that the module of its class imports', async () => {
    @Injectable()
    class Echo {
      @SnakepitCommand('shout_back')
      shoutBack(_text: string): Promise<string> {
        return commandArgs();
      }
    }
    const own = SnakepitModule.forRoot({
      adapter: python({ module: 'test/fixtures/nest/echo.py' }),
      size: 1,
      isGlobal: false,
    });
    const other = SnakepitModule.forRoot({ adapter: reports(), size: 1, isGlobal: false });
    const app = await bootApp({
      imports: [moduleOf({ imports: [own], providers: [Echo] }), moduleOf({ imports: [other], providers: [Sums] })],
    });
    expect(await app.get(Echo).shoutBack('hello')).toBe('HELLO');
    expect(await app.get(Sums).add(1, 2)).toBe(3);
  });

  it('calls the pools of the application whose instance it is called on', async () => {
    const [one, two] = await Promise.all([
      bootApp({ imports: [onePool()], providers: [Sums] }),
      bootApp({ imports: [onePool()], providers: [Sums] }),
    ]);
    expect(await one.get(Sums).pid()).toBe(one.get(PoolService).stats().pids[0]);
    expect(await two.get(Sums).pid()).toBe(two.get(PoolService).stats().pids[0]);
    await one.close();
    await expect(one.get(Sums).pid()).rejects.toMatchObject({ code: 'POOL_CLOSED' });
    expect(await two.get(Sums).add(1, 2)).toBe(3);
  });
});

class OnlyWithRole implements CanActivate {
  private readonly reflector = new Reflector();
  canActivate(context: ExecutionContext): boolean {
    return this.reflector.get<string>('role', context.getHandler()) === 'reader';
  }
}

class Enveloping implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((sum: unknown) => ({ sum })));
  }
}

const routed = (path: string, role: string) =>
  applyDecorators(Get(path), SetMetadata('role', role), UseGuards(OnlyWithRole), UseInterceptors(Enveloping));

@Controller()
class SumController {
  readonly offset = 100;

  @routed('above/:value', 'reader')
  @SnakepitCommand('add')
  above(@Param('value', ParseIntPipe) value: number): Promise<number> {
    return commandArgs([value, this.offset]);
  }

  @SnakepitCommand('add')
  @routed('below/:value', 'reader')
  below(@Param('value', ParseIntPipe) value: number): Promise<number> {
    return commandArgs([value, this.offset]);
  }

  @SnakepitCommand('add')
  @routed('closed/:value', 'stranger')
  closed(@Param('value', ParseIntPipe) value: number): Promise<number> {
    return commandArgs([value, this.offset]);
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController extends SumController {}

@Module({ imports: [], controllers: [SumController, ScopedController] })
class SumModule {}

describe('a @SnakepitCommand method that is a route', () => {
  it.each(['above', 'below', 'scoped/above'])('keeps pipes, guards and interceptors, as /%s', async (path) => {
    const { url } = await serveApp({ imports: [onePool(), SumModule] });
    expect(await (await fetch(`${url}/${path}/1`)).json()).toEqual({ sum: 101 });
    expect((await fetch(`${url}/${path}/one`)).status).toBe(400);
  });

  it('is not called when a guard says no', async () => {
    const { url, app } = await serveApp({ imports: [onePool(), SumModule] });
    expect((await fetch(`${url}/closed/1`)).status).toBe(403);
    expect(app.get(PoolService).stats().requests).toBe(0);
  });
});
