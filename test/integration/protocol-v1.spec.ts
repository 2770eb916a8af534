import { fileURLToPath } from 'node:url';

import { createSnakepit, custom, Snakepit, type CustomOptions, type PoolOptions } from 'nestjs-snakepit/core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';

import { failureOf, itemsOf } from '../support/outcomes.js';
import { untilGone } from '../support/processes.js';
import { entriesOf, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/integration/${name}`, import.meta.url));
const PYTHON_SDK = fileURLToPath(new URL('../../bridges/python', import.meta.url));

type Codec = NonNullable<CustomOptions['codec']>;

const byHand = (args: string[], codec: Codec = 'auto') =>
  custom({ executable: 'python3', script: pathOf('raw_v1.py'), args, codec });

async function withPool(options: PoolOptions, use: (snakepit: Snakepit) => Promise<void>): Promise<void> {
  const snakepit = await createSnakepit({ size: 1, ...options });
  try {
    await use(snakepit);
  } finally {
    await snakepit.close();
  }
}

describe('a v1 bridge written by hand', () => {
  const scratch = useScratch();

  it.each([
    { negotiates: 'ignores', what: 'never answers the negotiation' },
    { negotiates: 'answers', what: 'selects JSON' },
    { negotiates: 'with-an-error', what: 'answers the negotiation with an error' },
    { negotiates: 'with-nonsense', what: 'answers the negotiation with something else' },
    { negotiates: 'late', what: 'selects JSON when that was assumed already' },
  ])('speaks JSON when it $what', async ({ negotiates }) => {
    await withPool({ adapter: byHand([negotiates]), negotiationTimeoutMs: 150 }, async (snakepit) => {
      expect(snakepit.pool().workers()).toMatchObject([{ codec: 'json', state: 'ready' }]);
      expect(await snakepit.pool().execute('add', { a: 40, b: 2 })).toBe(42);
    });
  });

  it('needs no negotiation with codec json', async () => {
    const options = { adapter: byHand(['ignores'], 'json'), negotiationTimeoutMs: 60_000 };
    await withPool(options, async (snakepit) => expect(await snakepit.pool().execute('add', { a: 1, b: 2 })).toBe(3));
  });

  it('is ready when it answers the ping with an error', async () => {
    const path = scratch();
    const adapter = byHand(['answers', 'with-an-error', path]);
    await withPool({ adapter, heartbeatIntervalMs: 20, heartbeatTimeoutMs: 1_000 }, async (snakepit) => {
      const [pid] = snakepit.pool().stats().pids;
      await waitUntil('ten heartbeats', () => entriesOf(path).length >= 10);
      expect(snakepit.pool().stats().pids).toEqual([pid]);
      expect(await snakepit.pool().execute('add', { a: 1, b: 2 })).toBe(3);
    });
  });

  it('fails the boot when it never answers the ping', async () => {
    const snakepit = new Snakepit({
      adapter: byHand(['answers', 'never']),
      size: 1,
      startTimeoutMs: 400,
      killGraceMs: 100,
    });
    const error = await failureOf(snakepit.start());
    expect(error.code).toBe('WORKER_START_FAILED');
    expect(error.message).toContain('not ready within 400 ms');
  });

  describe('that breaks the protocol', () => {
    let snakepit: Snakepit;
    const pool = () => snakepit.pool();
    beforeAll(async () => {
      const restart = { initialDelayMs: 1, maxDelayMs: 10, budget: 1_000 };
      snakepit = await createSnakepit({ adapter: byHand(['answers']), size: 2, killGraceMs: 100, restart });
    });
    afterAll(() => snakepit.close());
    afterEach(async () => {
      await waitUntil('a whole pool', () => pool().stats().available === 2);
      expect(await pool().execute('add', { a: 20, b: 22 })).toBe(42);
    });

    it.each([
      { command: 'print', what: 'prints to stdout before its reply', says: /bytes exceeds maxFrameBytes/ },
      { command: 'wrong_id', what: 'answers with another id', says: /id \d+, expected \d+/ },
      { command: 'no_id', what: 'answers without an id', says: /no id/ },
      { command: 'no_success', what: 'does not say whether it succeeded', says: /succeeded/ },
      { command: 'no_map', what: 'answers with a list', says: /not a map/ },
      { command: 'garbage', what: 'answers with what is no JSON', says: /JSON/ },
    ])('is replaced and its call fails with PROTOCOL_ERROR when it $what', async ({ command, says }) => {
      const before = pool().stats().pids;
      const error = await failureOf(pool().execute(command, {}));
      expect(error).toMatchObject({ code: 'PROTOCOL_ERROR', delivery: 'may-have-run' });
      expect(error.message).toMatch(says);
      await waitUntil('a whole pool', () => pool().stats().available === 2);
      await untilGone(before.filter((pid) => !pool().stats().pids.includes(pid)));
    });

    it.each(['truncated', 'close'])('fails its call with WORKER_EXITED: %s', async (command) => {
      const error = await failureOf(pool().execute(command, {}));
      expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    });

    it('is replaced when it answers twice; the first answer counts', async () => {
      const before = pool().stats().pids;
      expect(await pool().execute('twice', {})).toBe(1);
      await waitUntil('a replacement', () =>
        pool()
          .stats()
          .pids.some((pid) => !before.includes(pid)),
      );
    });

    it.each([
      { command: 'fail', says: /it did not work/ },
      { command: 'fail_oddly', says: /a map/ },
      { command: 'nonsense', says: /unknown command: nonsense/ },
    ])('fails a call with the text of its error: $command', async ({ command, says }) => {
      const error = await failureOf(pool().execute(command, {}));
      expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran' });
      expect(error.message).toMatch(says);
    });
  });
});

describe("a bridge in the ancestor's pattern", () => {
  const bridge = (protocol: 'v1' | 'v2', codec: Codec) =>
    custom({
      executable: 'python3',
      script: pathOf('ancestor_bridge.py'),
      env: { PYTHONPATH: `${PYTHON_SDK}:${codec === 'json' ? '' : inject('pythonPackages')}` },
      protocol,
      codec,
    });

  it.each([
    { protocol: 'v1', codec: 'auto', spoken: 'msgpack' },
    { protocol: 'v1', codec: 'json', spoken: 'json' },
    { protocol: 'v2', codec: 'auto', spoken: 'msgpack' },
    { protocol: 'v2', codec: 'json', spoken: 'json' },
  ] as const)('runs unmodified over $protocol $codec', async ({ protocol, codec, spoken }) => {
    await withPool({ adapter: bridge(protocol, codec) }, async (snakepit) => {
      const pool = snakepit.pool();
      expect(pool.workers()).toMatchObject([{ codec: spoken }]);
      expect(await pool.execute('ping', {})).toMatchObject({ status: 'ok', bridge_type: 'my_bridge' });
      expect(await pool.execute('add', { a: 1, b: 2 })).toMatchObject({ status: 'ok', result: 3 });
      const raised = await failureOf(pool.execute('fail', {}));
      expect(raised).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran', remote: { type: 'ValueError' } });
      const unknown = await failureOf(pool.execute('nonsense', {}));
      expect(unknown).toMatchObject({ code: 'UNKNOWN_COMMAND', delivery: 'not-started' });
      if (protocol === 'v2') {
        const items = await itemsOf(pool.stream('process_stream', { count: 2 }));
        expect(items).toEqual([{ number: 0 }, { number: 1 }]);
      }
    });
  });
});
