import { SnakepitError, type ToolContext } from 'nestjs-snakepit/core';
import { beforeAll, describe, expect, it } from 'vitest';

import { CORE_COMBINATIONS, usePool } from '../support/combinations.js';
import { failureOf, itemsOf } from '../support/outcomes.js';
import { entryWith, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

class NoSuchSku extends Error {
  readonly data: unknown;

  constructor(sku: string) {
    super(`there is no '${sku}'`);
    this.data = { sku, at: new Date(1e12) };
  }
}

/** What an exception of Nest's looks like from here. */
class NotAllowed extends Error {
  getStatus(): number {
    return 403;
  }
  getResponse(): unknown {
    return { statusCode: 403, message: this.message };
  }
}

interface Caught {
  readonly class: string;
  readonly tool: string;
  readonly code: string;
  readonly type: string | null;
  readonly message: string;
  readonly data: unknown;
}

const SIZE = 2;
/** What the languages call it, each by its customs. */
const TOOL_ERROR = /^(ToolError|Snakepit::ToolError|tool_error|.*HostError)$/;

describe.each(CORE_COMBINATIONS)('tools over $name', (combination) => {
  const { can } = combination;
  const scratch = useScratch();
  // Workers that are lent have to start first.
  const running = usePool(combination, { size: SIZE, queueTimeoutMs: 20_000 });
  const contexts: ToolContext[] = [];
  const execute = (command: string, args?: unknown, options = {}): Promise<unknown> =>
    running().pool.execute(command, args, options);
  const caught = (name: string, args: unknown = {}): Promise<Caught> =>
    execute('caught_tool_error', { name, args }) as Promise<Caught>;

  beforeAll(() => {
    const { tools } = running().snakepit;
    const pool = running().pool;
    tools.register('price.of', ({ sku }: { sku: string }, context) => {
      contexts.push(context);
      if (sku === 'missing') throw new NoSuchSku(sku);
      return { sku, price: 2n ** 60n };
    });
    tools.register('same', (args: unknown) => Promise.resolve(args));
    tools.register('forbidden', () => {
      throw new NotAllowed('not for you');
    });
    tools.register('text', () => {
      throw 'no error at all';
    });
    tools.register('function', () => ({ rows: [() => 1] }));
    tools.register('endless', (_: unknown, { signal }: ToolContext) => {
      const heard = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      return Promise.race([heard, new Promise(() => {})]);
    });
    tools.register('fails.nested', () => pool.execute('fail', { message: 'inner' }));
    tools.register('again', (args: unknown) => pool.execute('call_itself', args));
    tools.register('again.later', (args: unknown) => pool.execute('call_itself_later', args));
  });

  if (!can.multiplexes) {
    it('are refused with a clear error, since v1 cannot carry them', async () => {
      const error = await failureOf(execute('call_tool', { name: 'same', args: 1 }));
      expect(error.message).toMatch(/tool\.call.* needs protocol v2/);
    });
    return;
  }

  describe('that answer', () => {
    it.each(['call_tool', 'call_tool_later'])('give %s what they return', async (command) => {
      expect(await execute(command, { name: 'price.of', args: { sku: 'a' } })).toEqual({ sku: 'a', price: 2n ** 60n });
    });

    it('are called as attributes, by any spelling of their name', async () => {
      expect(await execute('price_by_attribute', { sku: 'b' })).toMatchObject({ sku: 'b' });
      for (const name of ['priceOf', 'price_of', 'PRICE-OF']) {
        expect(await execute('call_tool', { name, args: { sku: 'a' } })).toMatchObject({ sku: 'a' });
      }
    });

    it('carry all values, and one that is no map', async () => {
      const value = { bytes: new Uint8Array([1, 2]), at: new Date(1e12), big: 2n ** 60n, list: [null, 'Łódź'] };
      const same = (await execute('call_tool', { name: 'same', args: value })) as typeof value;
      expect([...same.bytes]).toEqual([1, 2]);
      expect(same).toMatchObject({ at: value.at, big: value.big, list: value.list });
      expect(await execute('call_tool', { name: 'same', args: 'text' })).toBe('text');
    });

    it('get an empty map where nothing was given', async () => {
      expect(await execute('call_tool', { name: 'same', args: null })).toEqual({});
    });

    it('are waited for side by side in an asynchronous command', async () => {
      const skus = Array.from({ length: 50 }, (_, n) => `s${n}`);
      const prices = (await execute('prices_at_once', { skus })) as { sku: string }[];
      expect(prices.map(({ sku }) => sku)).toEqual(skus);
    });

    it('may be called between the items of a stream', async () => {
      const items = await itemsOf(running().pool.stream<{ sku: string }>('priced_stream', { skus: ['a', 'b'] }));
      expect(items.map(({ sku }) => sku)).toEqual(['a', 'b']);
    });

    it('know the call that they run for', async () => {
      contexts.length = 0;
      const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
      const options = { session: 's1', trace, context: { user: 'u1' }, timeoutMs: 30_000 };
      await execute('price_by_attribute', { sku: 'a' }, options);
      const [context] = contexts;
      expect(context).toMatchObject({ tool: 'price.of', pool: 'default', command: 'price_by_attribute', depth: 1 });
      expect(context).toMatchObject({ session: 's1', trace, context: { user: 'u1' } });
      expect(context?.worker).toMatch(/^default-\d+$/);
      expect(context?.deadlineMs).toBeGreaterThan(1_000);
      expect(context?.deadlineMs).toBeLessThanOrEqual(30_000);
    });
  });

  describe('that throw', () => {
    it('raise an error with class, message and data in the worker, and leave their stack here', async () => {
      running().logs.length = 0;
      expect(await caught('price_of', { sku: 'missing' })).toEqual({
        class: 'ToolError',
        tool: 'price_of',
        code: 'REMOTE_ERROR',
        type: 'NoSuchSku',
        message: "there is no 'missing'",
        data: { sku: 'missing', at: new Date(1e12) },
      });
      const record = running().logs.find(({ message }) => message.includes('NoSuchSku'));
      expect(record).toMatchObject({ level: 'error', pool: 'default' });
      expect(record?.message).toContain("'price.of', called by 'caught_tool_error'");
      expect(record?.message).toContain('tools.spec.ts');
    });

    it('tell the status and the body of an HTTP exception', async () => {
      expect(await caught('forbidden')).toMatchObject({
        type: 'NotAllowed',
        message: 'not for you',
        data: { status: 403, body: { statusCode: 403, message: 'not for you' } },
      });
    });

    it('tell what was thrown when it is no error', async () => {
      expect(await caught('text')).toMatchObject({ type: 'string', message: 'no error at all', data: null });
    });

    it('tell the code of a call that failed inside', async () => {
      const { type, data } = await caught('fails.nested');
      expect(type).toBe('SnakepitError');
      expect(data).toMatchObject({ code: 'REMOTE_ERROR', remote: { message: 'inner' } });
    });

    it.each(['call_tool', 'call_tool_later'])('and are not caught by %s are told to its caller', async (command) => {
      const error = await failureOf(execute(command, { name: 'price.of', args: { sku: 'missing' } }));
      expect(error.code).toBe('REMOTE_ERROR');
      expect(error.remote?.type).toMatch(TOOL_ERROR);
      expect(error.message).toMatch(/the tool ['"]price\.of['"] threw NoSuchSku: there is no 'missing'/);
      expect(error.remote?.data).toMatchObject({ tool: 'price.of', type: 'NoSuchSku', data: { sku: 'missing' } });
    });
  });

  describe('that cannot be called', () => {
    it('because there is none of that name: those there are are listed', async () => {
      const { code, message } = await caught('nobody');
      expect(code).toBe('UNKNOWN_TOOL');
      expect(message).toMatch(/no tool 'nobody'; .* may call: price\.of, same, /);
    });

    it('because the arguments cannot be sent: the path is told', async () => {
      const error = await failureOf(execute('call_tool_with_nonsense'));
      expect(error.remote).toMatchObject({
        type: expect.stringMatching(TOOL_ERROR) as string,
        data: { code: 'INVALID_ARGUMENTS' },
      });
      expect(error.message).toMatch(/args\.f/);
    });

    it('because their result cannot be sent: the path is told', async () => {
      const { code, message } = await caught('function');
      expect(code).toBe('INVALID_RESULT');
      expect(message).toMatch(/rows\[0\]/);
    });

    it('because the call has ended', async () => {
      const path = scratch();
      await execute('call_tool_when_over', { path });
      expect(await entryWith(path, 'outcome')).toEqual({ outcome: 'CALL_ENDED' });
    });
  });

  describe('of a call that is given up', () => {
    const whole = () => waitUntil('a whole pool', () => running().pool.stats().available === SIZE);

    it('are aborted when it is cancelled, and set the worker free', async () => {
      await whole();
      const abort = new AbortController();
      const { pids } = running().pool.stats();
      const call = failureOf(execute('call_tool', { name: 'endless', args: null }, { signal: abort.signal }));
      await waitUntil('the tool', () => running().pool.stats().inFlight === 1);
      abort.abort();
      expect((await call).code).toBe('CANCELLED');
      await whole();
      expect(running().pool.stats().pids).toEqual(pids);
    });

    it('are aborted when its time is up, and the worker is not killed for it', async () => {
      await whole();
      const { pids } = running().pool.stats();
      const error = await failureOf(execute('call_tool', { name: 'endless', args: null }, { timeoutMs: 100 }));
      expect(error.code).toBe('CALL_TIMEOUT');
      await whole();
      expect(running().pool.stats().pids).toEqual(pids);
    });
  });

  describe('that call the pool again', () => {
    const depthOf = (result: unknown): number => {
      const { inner } = result as { inner: unknown };
      return inner === null ? 0 : 1 + depthOf(inner);
    };

    it.each(['call_itself', 'call_itself_later'])('do not wait for each other: %s', async (command) => {
      const calls = Array.from({ length: SIZE * 2 }, () => execute(command, { depth: 3 }, { timeoutMs: 30_000 }));
      expect((await Promise.all(calls)).map(depthOf)).toEqual(calls.map(() => 3));
      await waitUntil('idle workers', () => running().pool.stats().inFlight === 0);
    });

    it('are stopped where they call each other without end', async () => {
      const error = await failureOf(execute('call_itself_later', { depth: 100 }));
      expect(error).toBeInstanceOf(SnakepitError);
      expect(error.message).toContain(
        ['node', 'fake'].includes(combination.language) ? 'nested.maxDepth' : 'nested.max',
      );
    });
  });
});
