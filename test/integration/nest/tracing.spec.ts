import { Controller, Get, Injectable } from '@nestjs/common';
import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { NextFunction, Request, Response } from 'express';
import { PoolService, Snakepit, SnakepitCommand, SnakepitModule, SnakepitTool, commandArgs } from 'nestjs-snakepit';
import { SnakepitOpenTelemetryModule } from 'nestjs-snakepit/opentelemetry';
import { describe, expect, it } from 'vitest';

import { FOLLOWED, isChildOf, useTracing } from '../../support/telemetry.js';
import { createApp } from './support/apps.js';

@Injectable()
class Shop {
  constructor(private readonly pool: PoolService) {}

  // Workers call it `shop.price`, another spelling of the same name.
  @SnakepitTool('shopPrice')
  price({ sku }: { readonly sku: string }): Promise<unknown> {
    return this.pool.execute('double', { value: sku === 'a' ? 21 : 0 });
  }
}

@Controller()
class QuoteController {
  @Get('quote')
  @SnakepitCommand('quote_by_tool')
  quote(): Promise<unknown> {
    return commandArgs({ sku: 'a' });
  }
}

describe.each(FOLLOWED)('an HTTP request that is served by %s', (_, adapter) => {
  const tracing = useTracing();

  /** What an instrumentation of HTTP does. */
  const follow = (request: Request, response: Response, next: NextFunction): void => {
    const span = tracing.provider
      .getTracer('http')
      .startSpan(`${request.method} ${request.path}`, { kind: SpanKind.SERVER });
    response.on('finish', () => span.end());
    context.with(trace.setSpan(ROOT_CONTEXT, span), next);
  };

  it('is one trace, from the request through the worker to a tool and what that calls', async () => {
    const { provider: tracerProvider } = tracing;
    const app = await createApp({
      imports: [
        SnakepitModule.forRoot({ adapter: adapter(), size: 2 }),
        SnakepitOpenTelemetryModule.forRoot({ tracerProvider }),
      ],
      controllers: [QuoteController],
      providers: [Shop],
    });
    app.use(follow);
    await app.listen(0, '127.0.0.1');
    const answer = await fetch(`${await app.getUrl()}/quote`);
    expect(await answer.json()).toEqual({ sku: 'a', price: 42 });
    await expect.poll(() => tracing.spans()['GET /quote']).toHaveLength(1);

    const ofKind = (name: string, kind: SpanKind) => tracing.spans()[name]!.find((span) => span.kind === kind)!;
    const chain = [
      tracing.span('GET /quote'),
      ofKind('snakepit quote_by_tool', SpanKind.CLIENT),
      ofKind('snakepit quote_by_tool', SpanKind.SERVER),
      tracing.span('price'),
      tracing.span('snakepit tool shopPrice'),
      ofKind('snakepit double', SpanKind.CLIENT),
      ofKind('snakepit double', SpanKind.SERVER),
    ];
    const links = chain.slice(1).map((span, at) => [span.name, isChildOf(span, chain[at]!)]);
    expect(links.filter(([, isLinked]) => !isLinked)).toEqual([]);
    expect(tracing.exporter.getFinishedSpans()).toHaveLength(chain.length);
  });

  it('ends with the application: its instrumentation is gone when that has closed', async () => {
    const app = await createApp({
      imports: [SnakepitModule.forRoot({ adapter: adapter(), size: 1 }), SnakepitOpenTelemetryModule.forRoot()],
    });
    await app.init();
    const snakepit = app.get(Snakepit);
    expect(snakepit.surroundings.isPresent).toBe(true);
    await app.close();
    expect(snakepit.surroundings.isPresent).toBe(false);
  });
});
