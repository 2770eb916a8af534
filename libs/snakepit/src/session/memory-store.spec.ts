import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../testing/manual-clock.js';
import { dataMap } from './data-map.js';
import { MemorySessionStore } from './memory-store.js';
import { describeSessionStore } from './store-contract.js';

const data = (entries: Record<string, unknown>) =>
  dataMap(entries, { path: 'data', command: 'test', maxValueBytes: Infinity });
const start = (id: string, ttlMs = 1_000) => ({
  id,
  metadata: data({}),
  programs: data({}),
  ttlMs,
  lastWorkerId: undefined,
});

function setUp({ maxSessions = 10, maxGlobals = 10, cleanupIntervalMs = 5_000 } = {}) {
  const clock = new ManualClock();
  const store = new MemorySessionStore({ maxSessions, maxGlobals, cleanupIntervalMs }, clock);
  const heard: string[] = [];
  store.listen({
    sessionExpired: (id) => heard.push(`session ${id}`),
    globalExpired: (name) => heard.push(`global ${name}`),
    swept: () => heard.push('swept'),
  });
  return { clock, store, heard };
}

describeSessionStore(
  'MemorySessionStore',
  () => {
    const { clock, store } = setUp();
    return { store, advance: (ms) => clock.advance(ms) };
  },
  { describe, it },
);

describe('MemorySessionStore', () => {
  it('refuses a session beyond maxSessions with SESSION_LIMIT', async () => {
    const { store } = setUp({ maxSessions: 2 });
    await store.create(start('a'));
    await store.create(start('b'));
    await expect(store.create(start('c'))).rejects.toMatchObject({ code: 'SESSION_LIMIT', details: { limit: 2 } });
    expect(await store.update('a', () => ({ ttlMs: 2_000 }))).toBeDefined();
  });

  it('evicts expired sessions before it refuses one', async () => {
    const { clock, store, heard } = setUp({ maxSessions: 2 });
    await store.create(start('a'));
    await store.create(start('b', 9_000));
    clock.advance(1_000);
    await store.create(start('c'));
    expect(await store.list()).toEqual(['b', 'c']);
    expect(heard).toEqual(['session a']);
  });

  it('bounds global programs and lets an existing one be replaced', async () => {
    const { clock, store } = setUp({ maxGlobals: 1 });
    await store.writeGlobal('p', 1, { ttlMs: 1_000 });
    await store.writeGlobal('p', 2, { ttlMs: 1_000 });
    await expect(store.writeGlobal('q', 1, { ttlMs: 1_000 })).rejects.toMatchObject({ code: 'SESSION_LIMIT' });
    expect((await store.readGlobal('p')).revision).toBe(2);
    clock.advance(1_000);
    expect((await store.writeGlobal('q', 1, { ttlMs: 1_000 })).written).toBe(true);
  });

  it('sweeps while something is stored, and has no timer otherwise', async () => {
    const { clock, store, heard } = setUp();
    expect(clock.timers).toBe(0);
    await store.create(start('a'));
    await store.writeGlobal('p', 1, { ttlMs: 7_000 });
    expect(clock.timers).toBe(1);
    clock.advance(5_000);
    expect(heard).toEqual(['session a', 'swept']);
    clock.advance(5_000);
    expect(heard.slice(2)).toEqual(['global p', 'swept']);
    expect(clock.timers).toBe(0);
    await store.create(start('b'));
    await store.delete('b');
    expect(clock.timers).toBe(0);
  });

  it('leaves no timer after close', async () => {
    const { clock, store } = setUp();
    await store.create(start('a'));
    await store.close();
    expect(clock.timers).toBe(0);
  });

  it('does not expire sessions when the wall clock is set', async () => {
    const { clock, store } = setUp();
    await store.create(start('a'));
    clock.stepWallTime(86_400_000);
    expect(await store.has('a')).toBe(true);
    clock.stepWallTime(-2 * 86_400_000);
    clock.advance(1_000);
    expect(await store.has('a')).toBe(false);
  });

  it('returns to zero bytes when all is deleted', async () => {
    const { store } = setUp();
    await store.create({ ...start('a'), metadata: data({ text: 'x'.repeat(1_000) }) });
    await store.writeGlobal('p', 'y'.repeat(500), { ttlMs: 1_000 });
    expect((await store.size()).memoryBytes).toBeGreaterThan(1_500);
    await store.update('a', () => ({ metadata: data({}) }));
    expect((await store.size()).memoryBytes).toBeLessThan(1_000);
    await store.delete('a');
    await store.deleteGlobal('p');
    expect((await store.size()).memoryBytes).toBe(0);
  });

  it('lets a listener use the store while it sweeps', async () => {
    const { clock, store } = setUp({ maxSessions: 2 });
    store.listen({ sessionExpired: (id) => void store.create(start(`${id}-next`)), globalExpired() {}, swept() {} });
    await store.create(start('a'));
    await store.create(start('b'));
    clock.advance(1_000);
    await store.deleteExpired();
    expect(await store.list()).toEqual(['a-next', 'b-next']);
  });

  it('behaves like a plain model whatever is done to it', async () => {
    const id = fc.constantFrom('a', 'b', 'c', '__proto__');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('create' as const), id, ttlMs: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ kind: fc.constantFrom('get', 'has', 'update', 'delete', 'sweep', 'list'), id }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, store } = setUp({ maxSessions: 2, cleanupIntervalMs: 30 });
        let model = new Map<string, { ttlMs: number; expiresAt: number; revision: number }>();
        const dropExpired = (): void => {
          model = new Map([...model].filter(([, { expiresAt }]) => expiresAt > clock.now()));
        };
        for (const each of steps) {
          if (each.kind === 'advance') clock.advance(each.ms);
          dropExpired();
          if (each.kind === 'advance') continue;
          const held = model.get(each.id);
          const touch = (): void => void (held && (held.expiresAt = clock.now() + held.ttlMs));
          switch (each.kind) {
            case 'create': {
              const outcome = await store.create(start(each.id, each.ttlMs)).then(
                () => 'created',
                (error: { code: string }) => error.code,
              );
              const expected = held ? 'SESSION_EXISTS' : model.size >= 2 ? 'SESSION_LIMIT' : 'created';
              expect(outcome).toBe(expected);
              if (outcome === 'created') {
                model.set(each.id, { ttlMs: each.ttlMs, expiresAt: clock.now() + each.ttlMs, revision: 0 });
              }
              break;
            }
            case 'get':
              expect((await store.get(each.id))?.revision).toBe(held?.revision);
              touch();
              break;
            case 'update':
              if (held) held.revision += 1;
              expect((await store.update(each.id, () => ({ metadata: data({}) })))?.revision).toBe(held?.revision);
              touch();
              break;
            case 'has':
              expect(await store.has(each.id)).toBe(held !== undefined);
              break;
            case 'delete':
              expect(await store.delete(each.id)).toBe(model.delete(each.id));
              break;
            case 'sweep':
              await store.deleteExpired();
              break;
            case 'list':
              expect([...(await store.list())].toSorted()).toEqual([...model.keys()].toSorted());
          }
          expect(await store.count()).toBe(model.size);
          expect(clock.timers).toBe(model.size > 0 ? 1 : 0);
        }
      }),
    );
  });
});
