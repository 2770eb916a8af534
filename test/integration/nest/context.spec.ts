import { Controller, Get, Inject } from '@nestjs/common';
import { CLS_ID, ClsModule, ClsService } from 'nestjs-cls';
import { clsContext, node, PoolService, python, Snakepit, SnakepitModule, type SnakepitOptions } from 'nestjs-snakepit';
import { beforeEach, describe, expect, inject, it } from 'vitest';

import { serveApp } from './support/apps.js';

const seen: unknown[] = [];

@Controller()
class QuoteController {
  constructor(
    private readonly pool: PoolService,
    @Inject(ClsService) private readonly cls: ClsService,
    snakepit: Snakepit,
  ) {
    snakepit.hostMethods.register('shop', async () => {
      seen.push({ tenant: this.cls.get('tenant'), id: this.cls.getId() });
      return this.pool.execute('double', { value: 21 }, { pool: 'prices' });
    });
  }

  @Get('facts')
  facts() {
    return this.pool.execute('facts');
  }

  @Get('quote')
  quote() {
    return this.pool.execute('quote', { sku: 'a' });
  }
}

const ADAPTERS = {
  python: () => python({ module: 'test/fixtures/telemetry/commands.py', path: [inject('pythonPackages')] }),
  node: () => node({ module: 'test/fixtures/telemetry/commands.js' }),
};

describe.each(['python', 'node'] as const)('nestjs-cls and a %s worker', (language) => {
  beforeEach(() => {
    seen.length = 0;
  });

  const serve = () =>
    serveApp({
      imports: [
        ClsModule.forRoot({
          global: true,
          middleware: {
            mount: true,
            generateId: true,
            idGenerator: (request: { headers: Record<string, string> }) =>
              request.headers['x-correlation-id'] ?? 'none',
            setup: (cls, request: { headers: Record<string, string> }) =>
              cls.set('tenant', request.headers['x-tenant']),
          },
        }),
        SnakepitModule.forRootAsync({
          inject: [ClsService],
          useFactory: (cls: ClsService): SnakepitOptions => ({
            pools: {
              default: { adapter: ADAPTERS[language](), size: 2 },
              prices: { adapter: ADAPTERS[language](), size: 1 },
            },
            context: clsContext(cls, { tenant: 'tenant', correlationId: CLS_ID }),
          }),
        }),
      ],
      controllers: [QuoteController],
    });
  const get = async (url: string, headers: Record<string, string>) =>
    (await (await fetch(url, { headers })).json()) as { context?: unknown };

  it('share the values of each request, also where the worker asks the host', async () => {
    const { url } = await serve();
    const ids = Array.from({ length: 8 }, (_, n) => String(n));
    const headersOf = (id: string) => ({ 'x-tenant': `tenant ${id}`, 'x-correlation-id': `c-${id}` });
    const facts = await Promise.all(ids.map((id) => get(`${url}/facts`, headersOf(id))));
    const expected = ids.map((id) => ({ tenant: `tenant ${id}`, correlationId: `c-${id}` }));
    expect(facts.map(({ context }) => context)).toEqual(expected);

    const quotes = await Promise.all(ids.map((id) => get(`${url}/quote`, headersOf(id))));
    expect(quotes).toEqual(ids.map(() => ({ sku: 'a', price: 42 })));
    const known = ids.map((id) => ({ tenant: `tenant ${id}`, id: `c-${id}` }));
    expect(seen).toHaveLength(ids.length);
    expect(seen).toEqual(expect.arrayContaining(known));
  });

  it('leave out what a request does not have', async () => {
    const { url } = await serve();
    expect((await get(`${url}/facts`, {})).context).toEqual({ correlationId: 'none' });
  });
});
