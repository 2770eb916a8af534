import 'reflect-metadata';
import { Controller, Get, Injectable, Param, ParseIntPipe } from '@nestjs/common';
import { commandArgs, PoolService, python, SnakepitCommand, SnakepitModule, type PoolOptions } from 'nestjs-snakepit';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bootApp, bootError, serveApp } from './support/apps.js';

interface Squared {
  readonly square: number;
  readonly together: number;
}

@Injectable()
class Squares {
  @SnakepitCommand({ batch: { maxSize: 4, maxWaitMs: 1_000, adaptive: false } })
  square(n: number): Promise<Squared> {
    return commandArgs({ n });
  }
}

@Controller('squares')
class SquaresController {
  constructor(private readonly squares: Squares) {}

  @Get(':n')
  get(@Param('n', ParseIntPipe) n: number): Promise<Squared> {
    return this.squares.square(n);
  }
}

const models = (options: Omit<PoolOptions, 'adapter'> = {}) =>
  SnakepitModule.forRoot({ adapter: python({ module: 'test/fixtures/nest/models.py' }), size: 1, ...options });

describe('a command that a decorator batches', () => {
  it('answers each request with its own result, or with its own error', async () => {
    const metadata = { imports: [models()], controllers: [SquaresController], providers: [Squares] };
    const { app, url } = await serveApp(metadata);
    const numbers = [2, -3, 4, 5, 6, 7, 8, 9];
    const answers = await Promise.all(
      numbers.map(async (n) => {
        const response = await fetch(`${url}/squares/${n}`);
        return { status: response.status, body: (await response.json()) as Record<string, unknown> };
      }),
    );
    for (const [index, { status, body }] of answers.entries()) {
      const n = numbers[index]!;
      if (n > 0) expect([status, body]).toEqual([200, { square: n * n, together: 4 }]);
      else expect([status, body]).toMatchObject([500, { code: 'REMOTE_ERROR', delivery: 'ran' }]);
    }
    const { requests, batches } = app.get(PoolService).stats();
    expect(requests).toBe(8);
    expect(batches).toEqual({ square: { maxSize: 4, maxWaitMs: 1_000, batches: 2, calls: 8, largest: 4 } });
  });

  it("follows the pool's option where that names it", async () => {
    const batch = { square: { maxSize: 2 } };
    const app = await bootApp({ imports: [models({ batch })], providers: [Squares] });
    const squared = await Promise.all([1, 2, 3].map((n) => app.get(Squares).square(n)));
    expect(squared.map(({ together }) => together)).toEqual([2, 2, 1]);
  });

  it('lets what gathers leave when the application closes', async () => {
    const app = await bootApp({ imports: [models()], providers: [Squares] });
    const call = app.get(Squares).square(3);
    await app.close();
    expect(await call).toEqual({ square: 9, together: 1 });
  });
});

describe('misuse of batch', () => {
  it('is a stream', () => {
    expect(() => {
      class Walks {
        @SnakepitCommand('walk', { stream: true, batch: true })
        walk(): Observable<number> {
          return commandArgs();
        }
      }
      return Walks;
    }).toThrow(/@SnakepitCommand on Walks\.walk\(\): has 'stream' and 'batch'.*keep one of the two/);
  });

  it('is a size that is not allowed', () => {
    expect(() => SnakepitCommand('square', { batch: { maxSize: 0 } })({}, 'square', { value: () => {} })).toThrow(
      /batch\.maxSize' is 0; allowed is an integer from 1 to 10000/,
    );
  });

  it('is two methods that say different things', async () => {
    @Injectable()
    class Others {
      @SnakepitCommand('square', { batch: { maxSize: 8 } })
      other(n: number): Promise<Squared> {
        return commandArgs({ n });
      }
    }
    const error = await bootError({ imports: [models()], providers: [Squares, Others] });
    expect(error).toMatchObject({ code: 'MISUSE' });
    expect(error.message).toMatch(
      /Others\.other\(\).*Squares\.square\(\).*batch 'square' of pool 'default' in different ways/,
    );
  });
});
