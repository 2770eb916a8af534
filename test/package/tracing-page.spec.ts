import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, type NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { NestFactory } from '@nestjs/core';
import { node, PoolService, type Snakepit } from 'nestjs-snakepit';
import { createSnakepit } from 'nestjs-snakepit/core';
import { SnakepitInstrumentation } from 'nestjs-snakepit/opentelemetry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { repository } from './readme-blocks.js';

const page = readFileSync(`${repository}docs/tracing.md`, 'utf8');
const blocks = [...page.matchAll(/^```(\w+)(?: title="([^"]+)")?\n([\s\S]*?)^```$/gm)].map(
  ([, language, title, text]) => ({ language, title, text: text! }),
);

describe('docs/tracing.md', () => {
  // Within the repository, so that the files find its packages.
  const folder = realpathSync(mkdtempSync(join(repository, 'node_modules/.cache/tracing-page-')));
  const file = (name: string): string => join(folder, name);
  const load = (name: string) =>
    import(/* @vite-ignore */ pathToFileURL(file(name)).href) as Promise<Record<string, never>>;
  const home = process.cwd();

  beforeAll(() => {
    for (const { title, text } of blocks) {
      if (title === undefined) continue;
      mkdirSync(dirname(file(title)), { recursive: true });
      writeFileSync(file(title), text);
    }
    // The page's paths are relative to where an application is started.
    process.chdir(folder);
  });
  afterAll(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  });

  it('has no block that no test runs', () => {
    const strays = blocks.filter(({ title, language }) => title === undefined && language !== 'sh');
    expect(strays).toEqual([]);
  });

  it('shows how values of an AsyncLocalStorage reach a worker', async () => {
    const { request, snakepit } = (await load('als.ts')) as unknown as {
      request: { run: (store: object, run: () => Promise<unknown>) => Promise<unknown> };
      snakepit: Snakepit;
    };
    try {
      const rows = [{ amount: 1 }, { amount: -1 }];
      const imported = await request.run({ tenant: 'acme', correlationId: 'c-1' }, () =>
        snakepit.pool().execute('import_orders', { rows }),
      );
      expect(imported).toEqual({ imported: 1, tenant: 'acme' });
    } finally {
      await snakepit.close();
    }
  });

  it('shows how those of nestjs-cls do', async () => {
    const { AppModule } = await load('app.module.ts');
    const app = await NestFactory.createApplicationContext(AppModule!, { logger: false });
    try {
      const { ClsServiceManager } = await import('nestjs-cls');
      const imported = await ClsServiceManager.getClsService().runWith({ tenant: 'acme' } as never, () =>
        app.get(PoolService).execute('import_orders', { rows: [] }),
      );
      expect(imported).toEqual({ imported: 0, tenant: 'acme' });
    } finally {
      await app.close();
    }
  });

  it('shows how calls are followed, down to what workers record', async () => {
    const exporter = new InMemorySpanExporter();
    const { startTracing } = (await load('tracing.ts')) as unknown as {
      startTracing: (to: InMemorySpanExporter) => NodeTracerProvider;
    };
    const provider = startTracing(exporter);
    const { TracedModule } = await load('traced.module.ts');
    const app = await NestFactory.createApplicationContext(TracedModule!, { logger: false });
    const asked: IncomingHttpHeaders[] = [];
    const server = createServer(({ headers }, response) => {
      asked.push(headers);
      response.end();
    }).listen(0, '127.0.0.1');
    try {
      const pool = app.get(PoolService);
      const rows = [{ amount: 1 }, { amount: -1 }];
      await pool.execute('import_orders', { rows });
      expect(await pool.execute('total', { rows })).toBe(0);
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect(await pool.execute('fetch', { url })).toBe(200);
      await provider.forceFlush();
      const spans = exporter.getFinishedSpans();
      const named = (name: string) => spans.filter((span) => span.name === name);
      expect(named('validate')[0]).toMatchObject({
        attributes: { rows: 2, good: 1 },
        events: [{ name: 'rows.dropped' }],
      });
      expect(named('snakepit import_orders')).toHaveLength(2);
      expect(named('sum')).toHaveLength(1);
      const { traceId, spanId } = named('fetch')[0]!.spanContext();
      expect(asked[0]?.['traceparent']).toBe(`00-${traceId}-${spanId}-01`);
    } finally {
      server.close();
      await app.close();
    }
    const snakepit = await createSnakepit({ adapter: node({ module: './workers/orders.js' }), size: 1 });
    try {
      exporter.reset();
      new SnakepitInstrumentation().instrument(snakepit);
      await snakepit.pool().execute('importOrders', { rows: [{ amount: 1 }] });
      await provider.forceFlush();
      expect(
        exporter
          .getFinishedSpans()
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(['snakepit importOrders', 'snakepit importOrders', 'validate']);
    } finally {
      await snakepit.close();
      await provider.shutdown();
      trace.disable();
      context.disable();
    }
  });
});
