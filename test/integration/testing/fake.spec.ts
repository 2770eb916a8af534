import { createSnakepit, type PoolOptions, type PoolService, type Snakepit } from 'nestjs-snakepit/core';
import { fake, ManualClock, type FakeAdapter, type FakeContext } from 'nestjs-snakepit/testing';
import { command, type Context } from 'nestjs-snakepit/worker';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';

import type { InProcessParts, InProcessWorker } from '../../../bridges/node/src/in-process.js';
import type { BridgeWorker, BridgeWorkerParts } from '../../../libs/snakepit/src/testing/fake/bridge.js';
import { failureOf, itemsOf, received } from '../../support/outcomes.js';
import { waitUntil } from '../../support/wait-until.js';

let snakepit: Snakepit | undefined;
afterEach(() => snakepit?.close());

async function start(adapter: FakeAdapter, options: Partial<PoolOptions> = {}, clock?: ManualClock) {
  const context = clock && { clock };
  snakepit = await createSnakepit({ adapter, cancelGraceMs: 50, killGraceMs: 50, ...options }, context);
  return snakepit.pool();
}

const forever = (): Promise<never> => new Promise(() => {});

describe('a fake', () => {
  it('has as many workers as it says, unless the pool does', async () => {
    const commands = { nothing: () => null };
    expect((await start(fake({ commands, workers: 3 }))).stats().size).toBe(3);
    await snakepit?.close();
    expect((await start(fake({ commands, workers: 3 }), { size: 1 })).stats().size).toBe(1);
  });

  it('shares neither arguments nor results with its caller', async () => {
    const kept: { list: number[] } = { list: [1] };
    const taken: unknown[] = [];
    const adapter = fake({
      commands: {
        take({ list }: { list: number[] }) {
          list.push(99);
          taken.push(list);
          return kept;
        },
      },
    });
    const pool = await start(adapter);
    const args = { list: [1, 2] };
    const call = pool.execute<typeof kept>('take', args);
    args.list.push(3);
    const result = await call;
    result.list.push(4);
    expect(taken).toEqual([[1, 2, 99]]);
    expect(kept).toEqual({ list: [1] });
  });

  it('tells its commands by the descriptions that they have', async () => {
    const sum = command({ doc: 'Adds.', schema: { type: 'object' } }, ({ a, b }: { a: number; b: number }) => a + b);
    const pool = await start(fake({ commands: { sum, *count() {} } }));
    expect(pool.commands).toEqual([
      { name: 'sum', kind: 'call', doc: 'Adds.', schema: { type: 'object' } },
      { name: 'count', kind: 'stream' },
    ]);
  });

  it('takes its time before each command, or before those that are named', async () => {
    const clock = new ManualClock();
    const commands = { slow: () => 'slow', fast: () => 'fast' };
    const pool = await start(fake({ commands, latencyMs: { slow: 1_000 } }), { size: 2 }, clock);
    const slow = pool.execute('slow');
    expect(await pool.execute('fast')).toBe('fast');
    expect(pool.stats().inFlight).toBe(1);
    clock.advance(1_000);
    expect(await slow).toBe('slow');
  });

  it('keeps a journal of what became of its calls', async () => {
    const adapter = fake({
      commands: {
        give: (value: unknown) => value,
        raise() {
          throw new TypeError('no');
        },
        unsendable: () => () => {},
        wait: (_args: unknown, { signal }: FakeContext) =>
          new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        async *items() {
          yield 1;
          yield { two: 2 };
        },
        die: (_args: unknown, { worker }: FakeContext) => worker.exit(7),
      },
    });
    const pool = await start(adapter);
    const abort = new AbortController();
    await pool.executeInSession('s', 'give', ['x'], { context: { tenant: 'a' } });
    await failureOf(pool.execute('raise'));
    await failureOf(pool.execute('unsendable'));
    const waiting = failureOf(pool.execute('wait', null, { signal: abort.signal }));
    await adapter.untilCalled('wait');
    abort.abort();
    await waiting;
    await itemsOf(pool.stream('items'));
    await failureOf(pool.execute('die'));
    await waitUntil('the worker to be done', () => adapter.calls('wait')[0]?.outcome.kind !== 'running');
    expect(adapter.calls()).toMatchObject([
      { command: 'give', args: ['x'], session: 's', context: { tenant: 'a' }, outcome: { kind: 'result', value: 'x' } },
      { command: 'raise', outcome: { kind: 'error', code: 'REMOTE_ERROR', type: 'TypeError', message: 'no' } },
      { command: 'unsendable', outcome: { kind: 'error', code: 'INVALID_RESULT' } },
      { command: 'wait', outcome: { kind: 'error', code: 'CANCELLED' } },
      { command: 'items', kind: 'stream', items: [1, { two: 2 }], outcome: { kind: 'end' } },
      { command: 'die', outcome: { kind: 'lost' } },
    ]);
    adapter.clearCalls();
    expect(adapter.calls()).toEqual([]);
  });

  it('stops what its worker was doing when that is killed, and closes its streams', async () => {
    const ended: string[] = [];
    const adapter = fake({
      commands: {
        async wait(_args: unknown, { signal }: FakeContext) {
          signal.addEventListener('abort', () => ended.push('call'));
          await forever();
        },
        async *items() {
          try {
            for (let item = 0; ; item += 1) {
              yield item;
              await new Promise((resolve) => setImmediate(resolve));
            }
          } finally {
            ended.push('stream');
          }
        },
      },
    });
    const pool = await start(adapter, { size: 2 });
    const call = failureOf(pool.execute('wait'));
    const items = received(pool.stream('items'));
    await Promise.all([adapter.untilCalled('wait'), adapter.untilCalled('items')]);
    adapter.faults.killWorker();
    expect(await call).toMatchObject({ code: 'WORKER_EXITED' });
    expect((await items).error).toMatchObject({ code: 'WORKER_EXITED' });
    await waitUntil('both ends', () => ended.length === 2);
    expect(ended.toSorted()).toEqual(['call', 'stream']);
  });

  it('runs its hooks, and does not start when one fails', async () => {
    const seen: string[] = [];
    const adapter = fake({
      commands: { nothing: () => null },
      workers: 1,
      onStart: ({ id }) => seen.push(`start ${id}`),
      onShutdown: ({ id }) => seen.push(`shutdown ${id}`),
      onSessionOpen: ({ id }, worker) => seen.push(`open ${id} ${worker.id}`),
      onSessionClose: (session, worker) => seen.push(`close ${session} ${worker.id}`),
    });
    const pool = await start(adapter);
    await pool.executeInSession('s', 'nothing');
    await snakepit?.sessions.create('s').catch(() => {});
    await snakepit?.sessions.delete('s');
    await snakepit?.close();
    const ids = ['start default-1', 'open s default-1', 'close s default-1', 'shutdown default-1'];
    expect(seen).toEqual(ids);
    const broken = fake({
      commands: { nothing: () => null },
      onStart() {
        throw new Error('no model');
      },
    });
    const error = await failureOf(start(broken));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toContain('Error: no model');
    expect(error.message).toContain("fake workers live in the host's process");
  });

  it.each([
    { what: 'no commands', options: { commands: {} }, says: "'fake.commands' is empty" },
    { what: 'what is no function', options: { commands: { a: 1 } }, says: 'an object of functions' },
    {
      what: 'the latency of a stranger',
      options: { commands: { a: () => 1 }, latencyMs: { b: 1 } },
      says: "'fake.latencyMs' names b, which 'fake.commands' has not; it has a",
    },
    { what: 'a negative latency', options: { commands: { a: () => 1 }, latencyMs: -1 }, says: 'milliseconds from 0' },
    { what: 'an unknown option', options: { commands: { a: () => 1 }, size: 2 }, says: "unknown key 'fake.size'" },
  ])('refuses $what', ({ options, says }) => {
    expect(() => fake(options as never)).toThrow(says);
  });

  it('serves pools of an application that asks for privileges and watches sources, which it has none of', async () => {
    const pool: PoolService = await start(fake({ commands: { nothing: () => null } }), { privileges: { nice: 1 } });
    expect(await pool.execute('nothing')).toBeNull();
    expect(await pool.memory()).toBeUndefined();
  });
});

it('what a fake is told to be is what the SDK has', () => {
  expectTypeOf<BridgeWorkerParts>().toExtend<InProcessParts>();
  expectTypeOf<InProcessWorker>().toExtend<BridgeWorker>();
  expectTypeOf<Context>().toExtend<Omit<FakeContext, 'worker'>>();
});
