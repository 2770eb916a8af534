import assert from 'node:assert/strict';

import type { SnakepitError } from '../core/index.js';
import { type DataMap, dataMap } from './data-map.js';
import type { NewSession, Session } from './session.js';
import type { SessionStore } from './store.js';

/** A store under test, fresh and empty. */
export interface StoreHarness {
  readonly store: SessionStore;
  /** Lets time pass for the store; a store on real time waits. */
  readonly advance: (ms: number) => void | Promise<void>;
}

/** The functions of the test runner: vitest's, Jest's or node:test's. */
export interface SuiteRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

const TTL_MS = 1_000;
const HALF_TTL_MS = 600;

const data = (entries: Readonly<Record<string, unknown>>): DataMap =>
  dataMap(entries, { path: 'data', command: 'test', maxValueBytes: Infinity });

const start = (id: string, rest: Partial<NewSession> = {}): NewSession => ({
  id,
  metadata: data({}),
  programs: data({}),
  ttlMs: TTL_MS,
  lastWorkerId: undefined,
  ...rest,
});

const withCode = (code: string) => (error: unknown) => (error as SnakepitError).code === code;

const plain = (map: DataMap): Record<string, unknown> => ({ ...map });

const count = (session: Session): number => Number(session.metadata['count'] ?? 0);

/**
 * The contract of {@link SessionStore} as a test suite. `makeStore` makes a fresh, empty store for each test, with room for ten
 * sessions at least; the suite closes it.
 *
 * @example
 * import { describe, it } from 'vitest';
 * describeSessionStore('RedisSessionStore', async () => ({ store: await connect(), advance: sleep }), { describe, it });
 */
export function describeSessionStore(
  name: string,
  makeStore: () => StoreHarness | Promise<StoreHarness>,
  { describe, it }: SuiteRunner,
): void {
  const test = (title: string, body: (harness: StoreHarness) => Promise<void>): void => {
    it(title, async () => {
      const harness = await makeStore();
      try {
        await body(harness);
      } finally {
        await harness.store.close();
      }
    });
  };

  describe(`${name} as a SessionStore`, () => {
    describe('sessions', () => {
      test('creates a session with its data, times and revision 0', async ({ store }) => {
        const made = await store.create(start('a', { metadata: data({ user: 'ada' }), lastWorkerId: 'w-1' }));
        assert.deepEqual(plain(made.metadata), { user: 'ada' });
        assert.equal(made.revision, 0);
        assert.equal(made.ttlMs, TTL_MS);
        assert.equal(made.lastWorkerId, 'w-1');
        assert.equal(made.lastAccessedAt, made.createdAt);
        assert.deepEqual(plain((await store.get('a'))!.metadata), { user: 'ada' });
      });

      test('refuses to create a session that exists', async ({ store }) => {
        await store.create(start('a'));
        await assert.rejects(store.create(start('a')), withCode('SESSION_EXISTS'));
      });

      test('lets one of many concurrent creations win', async ({ store }) => {
        const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => store.create(start('a'))));
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      });

      test('has nothing for an unknown id', async ({ store }) => {
        assert.equal(await store.get('a'), undefined);
        assert.equal(await store.has('a'), false);
        assert.equal(await store.delete('a'), false);
        let isCalled = false;
        assert.equal(await store.update('a', () => void (isCalled = true)), undefined);
        assert.equal(isCalled, false);
      });

      test('deletes a session once', async ({ store }) => {
        await store.create(start('a'));
        assert.equal(await store.delete('a'), true);
        assert.equal(await store.delete('a'), false);
        assert.equal(await store.get('a'), undefined);
      });

      test('lists and counts sessions', async ({ store }) => {
        await store.create(start('a'));
        await store.create(start('b'));
        assert.deepEqual([...(await store.list())].toSorted(), ['a', 'b']);
        assert.equal(await store.count(), 2);
        assert.equal((await store.size()).sessions, 2);
      });

      test('keeps every kind of value, under any key', async ({ store }) => {
        const values = {
          nothing: null,
          flag: false,
          half: 0.5,
          large: 2n ** 63n,
          text: 'né ☃',
          bytes: new Uint8Array([0, 255]),
          time: new Date(1_234),
          list: [1, [2, { three: 3 }]],
        };
        const metadata = data({ ...values, ['__proto__']: 1, constructor: 2, '': 3 });
        await store.create(start('a', { metadata }));
        const read = (await store.get('a'))!.metadata;
        assert.deepEqual(plain(read), plain(metadata));
        assert.deepEqual(Object.keys(read).toSorted(), Object.keys(metadata).toSorted());
      });
    });

    describe('updates', () => {
      test('changes the named members and raises the revision', async ({ store }) => {
        await store.create(start('a', { programs: data({ p: 1 }) }));
        const updated = await store.update('a', () => ({ metadata: data({ x: 1 }), ttlMs: 2 * TTL_MS }));
        assert.deepEqual(plain(updated!.metadata), { x: 1 });
        assert.deepEqual(plain(updated!.programs), { p: 1 });
        assert.equal(updated!.ttlMs, 2 * TTL_MS);
        assert.equal(updated!.revision, 1);
        assert.equal((await store.get('a'))!.revision, 1);
      });

      test('leaves the revision when nothing, or only the worker, changes', async ({ store }) => {
        await store.create(start('a'));
        assert.equal((await store.update('a', () => undefined))!.revision, 0);
        const updated = await store.update('a', () => ({ lastWorkerId: 'w-2' }));
        assert.equal(updated!.revision, 0);
        assert.equal((await store.get('a'))!.lastWorkerId, 'w-2');
      });

      test('loses no concurrent update', async ({ store }) => {
        await store.create(start('a'));
        const increment = () => store.update('a', (s) => ({ metadata: data({ count: count(s) + 1 }) }));
        await Promise.all(Array.from({ length: 50 }, increment));
        const session = (await store.get('a'))!;
        assert.equal(count(session), 50);
        assert.equal(session.revision, 50);
      });

      test('stores nothing when the decision throws', async ({ store }) => {
        await store.create(start('a', { metadata: data({ x: 1 }) }));
        const failed = store.update('a', () => {
          throw new RangeError('no');
        });
        await assert.rejects(failed, RangeError);
        const session = (await store.get('a'))!;
        assert.deepEqual(plain(session.metadata), { x: 1 });
        assert.equal(session.revision, 0);
      });

      test('does not change records that were returned earlier', async ({ store }) => {
        const before = await store.create(start('a'));
        await store.update('a', () => ({ metadata: data({ x: 1 }) }));
        assert.deepEqual(plain(before.metadata), {});
        assert.equal(before.revision, 0);
      });
    });

    describe('expiry', () => {
      test('forgets a session when its ttl has passed without access', async ({ store, advance }) => {
        await store.create(start('a'));
        await advance(TTL_MS);
        assert.equal(await store.get('a'), undefined);
        assert.equal(await store.update('a', () => undefined), undefined);
        assert.equal(await store.has('a'), false);
        assert.deepEqual(await store.list(), []);
        assert.equal(await store.count(), 0);
        assert.equal(await store.delete('a'), false);
      });

      test('makes room for a session of the same id', async ({ store, advance }) => {
        await store.create(start('a', { metadata: data({ x: 1 }) }));
        await advance(TTL_MS);
        assert.deepEqual(plain((await store.create(start('a'))).metadata), {});
      });

      test('prolongs a session by reading and by updating it, not by asking whether it exists', async (harness) => {
        const { store, advance } = harness;
        for (const id of ['read', 'updated', 'asked']) await store.create(start(id));
        await advance(HALF_TTL_MS);
        assert.ok((await store.get('read'))!.lastAccessedAt > (await store.get('read'))!.createdAt);
        await store.update('updated', () => undefined);
        assert.equal(await store.has('asked'), true);
        await advance(HALF_TTL_MS);
        assert.deepEqual([...(await store.list())].toSorted(), ['read', 'updated']);
      });

      test('follows a changed ttl', async ({ store, advance }) => {
        await store.create(start('a'));
        await store.update('a', () => ({ ttlMs: 3 * TTL_MS }));
        await advance(2 * TTL_MS);
        assert.equal(await store.has('a'), true);
      });

      test('tells listeners of each expired session once, until they stop listening', async ({ store, advance }) => {
        const expired: string[] = [];
        const stop = store.listen({ sessionExpired: (id) => expired.push(id), globalExpired() {}, swept() {} });
        await store.create(start('read'));
        await store.create(start('swept'));
        await store.create(start('deleted'));
        await store.delete('deleted');
        await advance(TTL_MS);
        await store.get('read');
        await store.deleteExpired();
        await store.deleteExpired();
        assert.deepEqual(expired.toSorted(), ['read', 'swept']);
        stop();
        await store.create(start('late'));
        await advance(TTL_MS);
        await store.deleteExpired();
        assert.equal(expired.length, 2);
      });
    });

    describe('globals', () => {
      const write = { ttlMs: TTL_MS };

      test('writes, reads, lists and deletes under one revision', async ({ store }) => {
        const none = await store.readGlobal('p');
        assert.deepEqual([none.found, none.value], [false, null]);
        const first = await store.writeGlobal('p', { code: 1 }, write);
        const second = await store.writeGlobal('__proto__', null, write);
        assert.ok(first.written && second.written);
        assert.ok(none.revision < first.revision && first.revision < second.revision);
        assert.deepEqual(await store.readGlobal('p'), { found: true, value: { code: 1 }, revision: second.revision });
        assert.equal((await store.readGlobal('__proto__')).found, true);
        assert.deepEqual([...(await store.listGlobals())].toSorted(), ['__proto__', 'p']);
        assert.equal((await store.size()).globals, 2);
        const removed = await store.deleteGlobal('p');
        assert.ok(removed.written && removed.revision > second.revision);
        assert.deepEqual(await store.deleteGlobal('p'), { written: false, revision: removed.revision });
        assert.equal((await store.readGlobal('p')).found, false);
      });

      test('refuses a write and a delete that name an old revision', async ({ store }) => {
        const old = (await store.writeGlobal('p', 1, write)).revision;
        const current = (await store.writeGlobal('p', 2, { ...write, revision: old })).revision;
        assert.ok(current > old);
        assert.deepEqual(await store.writeGlobal('p', 3, { ...write, revision: old }), {
          written: false,
          revision: current,
        });
        assert.deepEqual(await store.deleteGlobal('p', old), { written: false, revision: current });
        assert.equal((await store.readGlobal('p')).value, 2);
        assert.equal((await store.deleteGlobal('p', current)).written, true);
      });

      test('loses no concurrent write that names its revision', async ({ store }) => {
        const increment = async (): Promise<void> => {
          for (;;) {
            const { value, revision } = await store.readGlobal('n');
            const next = await store.writeGlobal('n', Number(value) + 1, { ...write, revision });
            if (next.written) return;
          }
        };
        await Promise.all(Array.from({ length: 20 }, increment));
        assert.equal((await store.readGlobal('n')).value, 20);
      });

      test('forgets a program when its ttl has passed since it was written', async ({ store, advance }) => {
        await store.writeGlobal('p', 1, write);
        await store.writeGlobal('q', 1, write);
        await advance(HALF_TTL_MS);
        await store.readGlobal('p');
        await store.writeGlobal('q', 2, write);
        await advance(HALF_TTL_MS);
        assert.equal((await store.readGlobal('p')).found, false);
        assert.deepEqual(await store.listGlobals(), ['q']);
        assert.equal((await store.deleteGlobal('p')).written, false);
      });
    });
  });
}
