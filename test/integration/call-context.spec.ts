import { AsyncLocalStorage } from 'node:async_hooks';

import { alsContext, createSnakepit, currentCallScope, inCallScope, type Snakepit } from 'nestjs-snakepit/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { FOLLOWED } from '../support/telemetry.js';

interface Facts {
  readonly trace: Readonly<Record<string, string>>;
  readonly context: Readonly<Record<string, string>>;
  /** Seconds to the deadline. */
  readonly left: number;
}

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' };

describe.each(FOLLOWED)('context values of calls to %s', (_, adapter) => {
  const storage = new AsyncLocalStorage<Readonly<Record<string, unknown>>>();
  let snakepit: Snakepit;
  let answer: () => Promise<unknown>;
  const facts = (options = {}) => snakepit.pool().execute<Facts>('facts', null, options);

  beforeAll(async () => {
    const context = alsContext(storage, ['tenant', 'correlationId']);
    snakepit = await createSnakepit({ adapter: adapter(), size: 2, cancelGraceMs: 200, context });
    snakepit.hostMethods.register('shop', () => answer());
  });
  beforeEach(() => {
    answer = async () => null;
  });
  afterAll(() => snakepit?.close());

  it('are those of where the call is made; what the call says itself wins', async () => {
    expect((await facts()).context).toEqual({});
    const store = { tenant: 'acme', correlationId: 'c-1', secret: 'stays here' };
    const [inside, named] = await storage.run(store, () =>
      Promise.all([facts(), facts({ context: { tenant: 'other', more: 'm' } })]),
    );
    expect(inside.context).toEqual({ tenant: 'acme', correlationId: 'c-1' });
    expect(named.context).toEqual({ tenant: 'other', correlationId: 'c-1', more: 'm' });
  });

  it('are there again where the worker asks its host, and in what is called there', async () => {
    const seen: unknown[] = [];
    answer = async () => {
      seen.push(storage.getStore(), (await facts()).context);
      return 1;
    };
    await storage.run({ tenant: 'acme', secret: 'stays here' }, () =>
      snakepit.pool().execute('quote', { sku: 'a' }, { context: { more: 'm' } }),
    );
    expect(seen).toEqual([{ tenant: 'acme' }, { tenant: 'acme', more: 'm' }]);
  });

  it('come with the trace and the deadline of the call that the worker asks for', async () => {
    let nested: Facts | undefined;
    let waited: unknown;
    answer = async () => {
      nested = await facts({ timeoutMs: 50_000 });
      waited = await failureOf(snakepit.pool().execute('wait', { seconds: 30 }));
      return 1;
    };
    const outer = snakepit.pool().execute('quote_later', { sku: 'a' }, { timeoutMs: 1_500, trace: TRACE });
    // The nested call may time out a moment before the outer one does.
    await outer.catch(() => undefined);
    expect(nested?.trace).toEqual(TRACE);
    expect(nested?.left).toBeLessThanOrEqual(1.5);
    await expect.poll(() => waited).toMatchObject({ code: 'CALL_TIMEOUT' });
  });

  it('let the signal of the call cancel what is called on its behalf', async () => {
    const leaving = new AbortController();
    let nested: unknown;
    answer = async () => {
      const call = failureOf(snakepit.pool().execute('wait', { seconds: 30 }));
      leaving.abort();
      nested = await call;
      return 1;
    };
    const outer = snakepit.pool().execute('quote_later', { sku: 'a' }, { signal: leaving.signal });
    expect(await failureOf(outer)).toMatchObject({ code: 'CANCELLED' });
    await expect.poll(() => nested).toMatchObject({ code: 'CANCELLED' });
  });

  it('are inherited from a scope, until that is over', async () => {
    const scope = { context: { tenant: 'scoped' }, trace: TRACE, deadline: performance.now() + 5_000 };
    let leftBehind: Promise<Facts> | undefined;
    const inside = await inCallScope(scope, async () => {
      leftBehind = new Promise((resolve) => setImmediate(() => setImmediate(resolve))).then(() => facts());
      return storage.run({ correlationId: 'c-2' }, () => facts());
    });
    expect(inside).toMatchObject({ context: { tenant: 'scoped', correlationId: 'c-2' }, trace: TRACE });
    expect(inside.left).toBeLessThanOrEqual(5);
    expect(currentCallScope()).toBeUndefined();
    await leftBehind;
    expect(await facts()).toMatchObject({ context: {}, trace: {} });
  });

  it.each([
    ['a number', { tenant: 7 }, "'options.context.capture' returned 7 as 'tenant'; allowed is a string"],
    ['a long text', { tenant: 'x'.repeat(1_025) }, 'returned a string of 1025 characters'],
  ])('are refused when one is %s, before anything is sent', async (_what, store, message) => {
    const error = await failureOf(storage.run(store, () => facts()));
    expect(error).toMatchObject({ code: 'MISUSE', delivery: 'not-started' });
    expect(error.message).toContain(message);
  });

  it.each([
    [{ context: { tenant: 7 } }, "the option 'context.tenant' is 7; allowed is a string"],
    [{ context: 'acme' }, `the option 'context' is "acme"; allowed is an object of strings`],
    [{ context: Object.fromEntries(Array.from({ length: 33 }, (__, n) => [`k${n}`, ''])) }, 'at most 32'],
    [{ context: { '': 'x' } }, 'keys of 1 to 128 characters'],
    [{ trace: { traceparent: 'nonsense' } }, `the option 'trace.traceparent' is "nonsense"`],
    [{ trace: { ...TRACE, tracestate: 5 } }, "the option 'trace.tracestate' is 5"],
  ])('and traces are refused when a call says %o', async (options, message) => {
    const error = await failureOf(facts(options));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    expect(error.message).toContain(message);
  });
});
