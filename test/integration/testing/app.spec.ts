import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { Module, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  fake as fakeAdapter,
  ManualClock,
  SnakepitTesting,
  SnakepitTestingModule,
  type FakeContext,
} from 'nestjs-snakepit/testing';
import { PoolService, python, SnakepitModule } from 'nestjs-snakepit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { failureOf } from '../../support/outcomes.js';
import { waitUntil } from '../../support/wait-until.js';
import { SampleAppModule } from './sample-app.js';

const commands = {
  summarize: ({ amounts }: { amounts: number[] }) => ({
    count: amounts.length,
    total: amounts.reduce((sum, amount) => sum + amount, 0),
  }),
  async visit({ page }: { page: string }, { session }: FakeContext) {
    await session.set('last', page);
    return session.update('visits', (visits) => ((visits as number | undefined) ?? 0) + 1);
  },
  async *countdown({ start }: { start: number }) {
    for (let left = start; left > 0; left -= 1) yield left;
  },
};

async function serve(...args: Parameters<typeof SnakepitTestingModule.forRoot>): Promise<INestApplication> {
  const testing = await Test.createTestingModule({
    imports: [SampleAppModule, SnakepitTestingModule.forRoot(...args)],
  }).compile();
  const app = testing.createNestApplication({ logger: false });
  await app.listen(0);
  return app;
}

function urlOf(app: INestApplication, path: string): string {
  const { port } = app.getHttpServer().address() as AddressInfo;
  return `http://127.0.0.1:${port}/${path}`;
}

describe('an application with fakes', () => {
  let app: INestApplication;
  let testing: SnakepitTesting;
  beforeEach(async () => {
    app = await serve({ default: { commands } });
    testing = app.get(SnakepitTesting);
  });
  afterEach(() => app.close());

  const get = (path: string): Promise<Response> => fetch(urlOf(app, path));
  const visit = async (visitor: string, page: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ page });
    return (await fetch(urlOf(app, `visits/${visitor}`), { method: 'POST', headers, body })).json();
  };

  it('answers without Python, with the sizes of its own options', async () => {
    const response = await get('summary?amounts=1,2,3');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ count: 3, total: 6 });
    expect(app.get(PoolService).stats()).toMatchObject({ size: 3, pids: [] });
  });

  it('tells what its commands were called with, and what came of it', async () => {
    await get('summary?amounts=1,2');
    expect(testing.calls('summarize')).toMatchObject([
      { args: { amounts: [1, 2] }, session: undefined, outcome: { kind: 'result', value: { count: 2, total: 3 } } },
    ]);
    testing.reset();
    expect(testing.calls()).toEqual([]);
  });

  it('keeps the data of sessions', async () => {
    expect(await visit('ada', 'home')).toEqual({ visits: 1, data: { last: 'home', visits: 1 } });
    expect(await visit('ada', 'shop')).toEqual({ visits: 2, data: { visits: 2, last: 'shop' } });
    expect(await visit('bob', 'home')).toMatchObject({ visits: 1 });
    expect(testing.calls('visit').map(({ session }) => session)).toEqual(['ada', 'ada', 'bob']);
  });

  it('streams server-sent events', async () => {
    const text = await (await get('countdown?start=3')).text();
    expect([...text.matchAll(/data: (.*)/g)].map(([, data]) => JSON.parse(data!) as unknown)).toEqual([
      { left: 3 },
      { left: 2 },
      { left: 1 },
    ]);
    expect(testing.calls('countdown')).toMatchObject([{ kind: 'stream', items: [3, 2, 1], outcome: { kind: 'end' } }]);
  });

  it('answers 503 and Retry-After when its pool is saturated', async () => {
    const fault = testing.faults().saturate(app.get(PoolService));
    const response = await get('summary?amounts=1');
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ code: 'POOL_SATURATED', delivery: 'not-started', retryable: true });
    fault.clear();
    expect((await get('summary?amounts=1')).status).toBe(200);
  });

  it('answers 503 when a worker dies of the call, and goes on', async () => {
    testing.faults().crashNext('summarize');
    const response = await get('summary?amounts=1');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    expect(testing.calls('summarize')).toHaveLength(1);
    expect((await get('summary?amounts=1')).status).toBe(200);
  });

  it('answers 422 when a command refuses its arguments, 500 when it raises, without its traceback', async () => {
    testing.faults().failNext('summarize', { code: 'INVALID_ARGUMENTS', message: 'amounts must be numbers' });
    const refused = await get('summary?amounts=x');
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ code: 'INVALID_ARGUMENTS' });
    testing.faults().failNext('summarize', { type: 'ValueError', message: 'no', traceback: 'File "report.py"' });
    const raised = await get('summary?amounts=1');
    expect(raised.status).toBe(500);
    expect(await raised.text()).not.toContain('report.py');
  });
});

describe('time', () => {
  it('passes as the test wants: 504 after five seconds that nobody waits for, and after a queue that stands', async () => {
    const clock = new ManualClock();
    const app = await serve({ default: { commands } }, { clock });
    try {
      const testing = app.get(SnakepitTesting);
      const hanging = testing.faults().hang('summarize');
      const startedAt = performance.now();
      const response = fetch(urlOf(app, 'summary?amounts=1'));
      await testing.fake().untilCalled('summarize');
      await testing.advance(5_000);
      expect((await response).status).toBe(504);
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      hanging.clear();
      const occupied = testing.faults().occupy();
      const waiting = fetch(urlOf(app, 'summary?amounts=1'));
      await waitUntil('the call', () => app.get(PoolService).stats().queued === 1);
      await testing.advance(1_000);
      const answer = await waiting;
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({ code: 'QUEUE_TIMEOUT' });
      occupied.clear();
    } finally {
      await app.close();
    }
    expect(clock.timers).toBe(0);
  });

  it('that stands keeps no application from closing, though a call hangs in it', async () => {
    const clock = new ManualClock();
    const app = await serve(
      { default: { commands: { ...commands, summarize: () => new Promise(() => {}) } } },
      { clock },
    );
    const call = failureOf(app.get(PoolService).execute('summarize', { amounts: [] }, { timeoutMs: Infinity }));
    await app.get(SnakepitTesting).fake().untilCalled('summarize');
    await app.close();
    expect(await call).toMatchObject({ code: 'POOL_CLOSED' });
    expect(clock.timers).toBe(0);
  });

  it('that passes by the hour costs no worker its life', async () => {
    const app = await serve({ default: { commands } }, { clock: new ManualClock() });
    const pool = app.get(PoolService);
    const before = pool.workers().map(({ id }) => id);
    await app.get(SnakepitTesting).advance(3_600_000);
    expect(pool.workers().map(({ id }) => id)).toEqual(before);
    expect(await pool.execute('summarize', { amounts: [1] })).toEqual({ count: 1, total: 1 });
    await app.close();
  });

  it('need not pass for faults to be over when the application closes', async () => {
    const app = await serve({ default: { commands } });
    const testing = app.get(SnakepitTesting);
    testing.faults().hang();
    testing.faults().saturate(app.get(PoolService));
    const call = app
      .get(PoolService)
      .execute('summarize', { amounts: [1] })
      .catch((error: unknown) => error);
    const startedAt = performance.now();
    await app.close();
    // What still hung would hold it up for as long as a pool drains: 10 s.
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(await call).toMatchObject({ code: 'POOL_SATURATED' });
  });

  it('is what latencies go by', async () => {
    const app = await serve({ default: { commands, latencyMs: { summarize: 2_000 } } }, { clock: new ManualClock() });
    try {
      const testing = app.get(SnakepitTesting);
      const call = app.get(PoolService).execute('summarize', { amounts: [1] });
      await testing.fake().untilCalled('summarize');
      await testing.advance(1_999);
      expect(testing.calls('summarize')).toMatchObject([{ outcome: { kind: 'running' } }]);
      await testing.advance(1);
      expect(await call).toEqual({ count: 1, total: 1 });
    } finally {
      await app.close();
    }
  });
});

describe('the testing module', () => {
  it('can be done without: a fake stands where an adapter does', async () => {
    const fake = fakeAdapter({ commands });
    const testing = await Test.createTestingModule({ imports: [SnakepitModule.forRoot(fake)] }).compile();
    await testing.init();
    expect(await testing.get(PoolService).execute('summarize', { amounts: [4] })).toEqual({ count: 1, total: 4 });
    expect(fake.calls('summarize')).toHaveLength(1);
    await testing.close();
  });

  it('leaves nothing behind: no process, no timer, no handle', async () => {
    const count = (kind: string): number => process.getActiveResourcesInfo().filter((name) => name === kind).length;
    const before = { ProcessWrap: count('ProcessWrap'), Timeout: count('Timeout') };
    const app = await serve({ default: { commands } });
    await fetch(urlOf(app, 'summary?amounts=1'), { headers: { connection: 'close' } });
    const server = app.getHttpServer() as { listening: boolean } & NodeJS.EventEmitter;
    const closed = once(server, 'close');
    expect(process.getActiveResourcesInfo()).not.toContain('ProcessWrap');
    await app.close();
    await closed;
    expect(count('ProcessWrap')).toBe(before.ProcessWrap);
    // That of fetch itself ticks on for a second after an answer.
    await waitUntil('no other timer', () => count('Timeout') <= before.Timeout);
  });

  it('refuses pools that the application has not, and to leave real ones by mistake', async () => {
    @Module({
      imports: [
        SnakepitModule.forRoot({
          pools: { ml: { adapter: python({ module: './none.py' }) }, io: { adapter: fakeAdapter({ commands }) } },
        }),
      ],
    })
    class TwoPools {}
    const compile = (...args: Parameters<typeof SnakepitTestingModule.forRoot>) =>
      Test.createTestingModule({ imports: [TwoPools, SnakepitTestingModule.forRoot(...args)] }).compile();
    expect((await failureOf(compile({ default: { commands } }))).message).toContain(
      "names the pool 'default', which the application has not; it has 'ml', 'io'",
    );
    expect((await failureOf(compile({ ml: { commands } }))).message).toContain(
      "The pool 'io' would start real workers",
    );
    const allowed = await compile({ ml: { commands } }, { others: 'real' });
    await allowed.init();
    expect(await allowed.get(PoolService).execute('summarize', { amounts: [4] }, { pool: 'ml' })).toEqual({
      count: 1,
      total: 4,
    });
    await allowed.close();
  });

  it('refuses what is neither a fake nor an adapter, and to stand alone', async () => {
    expect(() => SnakepitTestingModule.forRoot({ default: {} as never })).toThrow(
      "'default' is neither an adapter nor",
    );
    const alone = await Test.createTestingModule({
      imports: [SnakepitTestingModule.forRoot({ default: { commands } })],
    }).compile();
    expect((await failureOf(alone.init())).message).toContain('there is no SnakepitModule');
  });

  it('says so where time cannot be made to pass, or a pool is not there', async () => {
    const app = await serve({ default: { commands } });
    const testing = app.get(SnakepitTesting);
    expect((await failureOf(testing.advance(1))).message).toContain('{ clock: new ManualClock() }');
    expect(() => testing.fake('other')).toThrow("has no pool 'other'; it has: default");
    await app.close();
  });
});
