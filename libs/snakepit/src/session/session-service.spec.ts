import { describe, expect, it, vi } from 'vitest';

import { type LogRecord, resolveOptions } from '../core/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { MemorySessionStore } from './memory-store.js';
import { SESSION_OPTIONS, type SessionOptionsInput } from './options.js';
import { SessionService } from './session-service.js';
import { WRITE_DELAY_MS } from './worker-affinity.js';

function setUp(options: SessionOptionsInput = {}) {
  const clock = new ManualClock();
  const logged: LogRecord[] = [];
  const sessions = new SessionService(resolveOptions(SESSION_OPTIONS, options), {
    clock,
    log: (record) => logged.push(record),
  });
  const closed: string[] = [];
  sessions.onClosed((id) => closed.push(id));
  return { clock, sessions, closed, logged };
}

const HOUR_MS = 3_600_000;

describe('SessionService', () => {
  describe('sessions', () => {
    it('creates a session with a random id and the default ttl', async () => {
      const { sessions, clock } = setUp();
      const session = await sessions.create();
      expect(session).toMatchObject({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), ttlMs: HOUR_MS, revision: 0 });
      expect(session.createdAt).toBe(clock.wallTime());
    });

    it('creates a session that begins with data, with a random id or a given one', async () => {
      const { sessions } = setUp();
      const init = { metadata: { plan: 'free' }, programs: { greet: 'hello' }, ttlMs: 5_000 };
      expect(await sessions.create(init)).toMatchObject({ ...init, id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
      expect(await sessions.create('ann', init)).toMatchObject({ ...init, id: 'ann' });
      expect(await sessions.create(undefined, init)).toMatchObject(init);
      expect(await sessions.list()).toHaveLength(3);
    });

    it.each([[''], ['x'.repeat(257)], [7], [null]])('refuses the id %j with INVALID_ARGUMENTS', async (id) => {
      const { sessions } = setUp();
      const bad = id as string;
      for (const use of [
        () => sessions.create(bad),
        () => sessions.get(bad),
        () => sessions.update(bad, () => undefined),
        () => sessions.delete(bad),
        () => sessions.exists(bad),
        () => sessions.setLastWorker(bad, 'w'),
      ]) {
        await expect(use()).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
      }
    });

    it.each([[0], [999], [1.5], [Infinity], ['1h']])('refuses a ttl of %j', async (ttlMs) => {
      const { sessions } = setUp();
      const created = sessions.create('a', { ttlMs: ttlMs as number });
      await expect(created).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS', details: { path: 'ttlMs' } });
    });

    it('tells get from find by SESSION_NOT_FOUND', async () => {
      const { sessions } = setUp();
      expect(await sessions.find('a')).toBeUndefined();
      await expect(sessions.get('a')).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
      await expect(sessions.touch('a')).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
      await expect(sessions.update('a', () => undefined)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    });

    it('prolongs a session by touching it', async () => {
      const { sessions, clock } = setUp();
      await sessions.create('a', { ttlMs: 1_000 });
      clock.advance(900);
      await sessions.touch('a');
      clock.advance(900);
      expect(await sessions.exists('a')).toBe(true);
      clock.advance(100);
      expect(await sessions.exists('a')).toBe(false);
    });

    it('applies concurrent updates one after the other', async () => {
      const { sessions } = setUp();
      await sessions.create('a', { metadata: { n: 0 } });
      const increment = () =>
        sessions.update('a', (s) => ({ metadata: { ...s.metadata, n: Number(s.metadata['n']) + 1 } }));
      await Promise.all(Array.from({ length: 100 }, increment));
      expect(await sessions.get('a')).toMatchObject({ metadata: { n: 100 }, revision: 100 });
    });

    it('takes a whole session as a change and ignores what is not the caller’s', async () => {
      const { sessions } = setUp();
      await sessions.create('a', { programs: { p: 1 } });
      const updated = await sessions.update('a', (s) => ({ ...s, id: 'b', revision: 99, metadata: { x: 1 } }));
      expect(updated).toMatchObject({ id: 'a', revision: 1, metadata: { x: 1 }, programs: { p: 1 } });
    });

    it.each([
      ['a promise', async () => ({})],
      ['a string', () => 'metadata'],
      ['metadata that is a list', () => ({ metadata: [] })],
      ['a value that cannot be sent', () => ({ programs: { f: () => 1 } })],
      ['a bad ttl', () => ({ ttlMs: -1 })],
    ])('refuses an update that returns %s and stores nothing', async (_, decide) => {
      const { sessions } = setUp();
      await sessions.create('a');
      const updated = sessions.update('a', decide as never);
      await expect(updated).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
      expect((await sessions.get('a')).revision).toBe(0);
    });

    it('bounds a value and a session', async () => {
      const { sessions } = setUp({ maxValueBytes: 2_048, maxSessionBytes: 4_096 });
      await sessions.create('a');
      const large = sessions.storeProgram('a', 'p', 'x'.repeat(3_000));
      await expect(large).rejects.toMatchObject({ message: expect.stringContaining('maxValueBytes') });
      await sessions.storeProgram('a', 'p', 'x'.repeat(2_000));
      await sessions.storeProgram('a', 'q', 'x'.repeat(1_900));
      const third = sessions.storeProgram('a', 'r', 'x'.repeat(1_900));
      await expect(third).rejects.toMatchObject({ message: expect.stringContaining('maxSessionBytes') });
      expect(await sessions.listPrograms('a')).toEqual(['p', 'q']);
    });

    it('refuses options that cannot work', () => {
      expect(() => setUp({ ttlMs: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
      expect(() => setUp({ store: {} as never })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    });
  });

  describe('programs', () => {
    it('stores, reads, updates, lists and deletes programs', async () => {
      const { sessions } = setUp();
      await sessions.create('a');
      await sessions.storeProgram('a', '__proto__', { code: 'x' });
      expect(await sessions.getProgram('a', '__proto__')).toEqual({ code: 'x' });
      expect(await sessions.getProgram('a', 'constructor')).toBeUndefined();
      const add = (program: unknown) => Number(program ?? 0) + 1;
      expect(await sessions.updateProgram('a', 'runs', add)).toBe(1);
      expect(await sessions.updateProgram('a', 'runs', add)).toBe(2);
      expect(await sessions.listPrograms('a')).toEqual(['__proto__', 'runs']);
      expect(await sessions.deleteProgram('a', '__proto__')).toBe(true);
      expect(await sessions.deleteProgram('a', '__proto__')).toBe(false);
      await expect(sessions.storeProgram('b', 'p', 1)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    });

    it('stores global programs with a ttl of their own', async () => {
      const { sessions, clock } = setUp({ globalTtlMs: 2_000 });
      await sessions.storeGlobalProgram('p', { code: 'x' });
      expect(await sessions.getGlobalProgram('p')).toEqual({ code: 'x' });
      expect(await sessions.listGlobalPrograms()).toEqual(['p']);
      clock.advance(2_000);
      expect(await sessions.getGlobalProgram('p')).toBeUndefined();
      expect(await sessions.deleteGlobalProgram('p')).toBe(false);
    });
  });

  describe('the end of a session', () => {
    it('is told once, after deletion, after expiry seen by a read and after expiry seen by a sweep', async () => {
      const { sessions, clock, closed } = setUp({ ttlMs: 1_000, cleanupIntervalMs: 5_000 });
      for (const id of ['deleted', 'read', 'swept']) await sessions.create(id);
      await sessions.delete('deleted');
      expect(closed).toEqual(['deleted']);
      clock.advance(1_000);
      await sessions.find('read');
      expect(closed).toEqual(['deleted', 'read']);
      clock.advance(4_000);
      expect(closed).toEqual(['deleted', 'read', 'swept']);
    });

    it('is told for a deleted session that calls used but nobody created', async () => {
      const { sessions, closed } = setUp();
      sessions.rememberWorker('a', 'w-1');
      expect(await sessions.delete('a')).toBe(false);
      expect(await sessions.delete('a')).toBe(false);
      expect(closed).toEqual(['a']);
    });

    it('reaches the other listeners when one throws', async () => {
      const { sessions, logged } = setUp();
      const last = vi.fn();
      sessions.onClosed(() => {
        throw new Error('broken');
      });
      const stop = sessions.onClosed(last);
      await sessions.create('a');
      await sessions.delete('a');
      expect(last).toHaveBeenCalledExactlyOnceWith('a');
      expect(logged).toMatchObject([{ level: 'warn', message: expect.stringContaining('broken') }]);
      stop();
      await sessions.create('a');
      await sessions.delete('a');
      expect(last).toHaveBeenCalledTimes(1);
    });
  });

  describe('workers', () => {
    it('remembers the last worker at once and stores it a little later', async () => {
      const { sessions, clock } = setUp();
      const store = new MemorySessionStore({ maxSessions: 9, maxGlobals: 9, cleanupIntervalMs: 1_000 }, clock);
      const shared = new SessionService(resolveOptions(SESSION_OPTIONS, { store }), { clock });
      await shared.create('a');
      shared.rememberWorker('a', 'w-1');
      shared.rememberWorker('a', 'w-2');
      expect(shared.lastWorkerOf('a')).toBe('w-2');
      expect(sessions.lastWorkerOf('a')).toBeUndefined();
      const update = vi.spyOn(store, 'update');
      clock.advance(WRITE_DELAY_MS);
      expect(update).toHaveBeenCalledTimes(1);
      expect((await store.get('a'))!).toMatchObject({ lastWorkerId: 'w-2', revision: 0 });
    });

    it('shows an unwritten worker to whoever reads the session', async () => {
      const { sessions } = setUp();
      await sessions.create('a');
      sessions.rememberWorker('a', 'w-1');
      expect((await sessions.get('a')).lastWorkerId).toBe('w-1');
    });

    it('prolongs a session that only calls use', async () => {
      const { sessions, clock } = setUp({ ttlMs: 1_000 });
      await sessions.create('a');
      for (let round = 0; round < 10; round += 1) {
        sessions.rememberWorker('a', 'w-1');
        clock.advance(500);
      }
      expect(await sessions.exists('a')).toBe(true);
    });

    it('keeps an affinity for sessions that nobody created, and hands it to them when they are', async () => {
      const { sessions, clock } = setUp();
      sessions.rememberWorker('a', 'w-1');
      clock.advance(WRITE_DELAY_MS);
      expect(sessions.lastWorkerOf('a')).toBe('w-1');
      expect(await sessions.exists('a')).toBe(false);
      expect((await sessions.create('a')).lastWorkerId).toBe('w-1');
    });

    it('forgets the worker when the session closes', async () => {
      const { sessions, clock } = setUp({ ttlMs: 1_000 });
      await sessions.create('deleted');
      await sessions.create('expired');
      await sessions.setLastWorker('deleted', 'w-1');
      await sessions.setLastWorker('expired', 'w-1');
      expect(sessions.sessionsOfWorker('w-1')).toEqual(['deleted', 'expired']);
      await sessions.delete('deleted');
      clock.advance(1_000);
      await sessions.find('expired');
      expect(sessions.sessionsOfWorker('w-1')).toEqual([]);
    });

    it('bounds what it remembers', () => {
      const { sessions } = setUp({ maxSessions: 10 });
      for (let n = 0; n < 1_000; n += 1) sessions.rememberWorker(`s-${n}`, 'w-1');
      expect(sessions.sessionsOfWorker('w-1').length).toBeLessThanOrEqual(20);
      expect(sessions.lastWorkerOf('s-999')).toBe('w-1');
      expect(sessions.lastWorkerOf('s-0')).toBeUndefined();
    });

    it('finds the worker in the store after a restart', async () => {
      const clock = new ManualClock();
      const store = new MemorySessionStore({ maxSessions: 9, maxGlobals: 9, cleanupIntervalMs: 1_000 }, clock);
      const options = resolveOptions(SESSION_OPTIONS, { store });
      const before = new SessionService(options, { clock });
      await before.create('a');
      before.rememberWorker('a', 'w-1');
      await before.close();
      const after = new SessionService(options, { clock });
      expect(after.lastWorkerOf('a')).toBeUndefined();
      expect(await after.lastWorker('a')).toBe('w-1');
      expect(await after.lastWorker('b')).toBeUndefined();
    });

    it('logs a store that cannot take the worker', async () => {
      const clock = new ManualClock();
      const store = new MemorySessionStore({ maxSessions: 9, maxGlobals: 9, cleanupIntervalMs: 1_000 }, clock);
      vi.spyOn(store, 'update').mockRejectedValue(new Error('connection lost'));
      const logged: LogRecord[] = [];
      const log = (record: LogRecord) => void logged.push(record);
      const sessions = new SessionService(resolveOptions(SESSION_OPTIONS, { store }), { clock, log });
      sessions.rememberWorker('a', 'w-1');
      await sessions.close();
      expect(logged).toMatchObject([{ message: expect.stringContaining('connection lost') }]);
    });
  });

  it('counts what happened and what is stored', async () => {
    const { sessions, clock } = setUp({ ttlMs: 1_000, globalTtlMs: 1_000 });
    for (const id of ['a', 'b', 'c']) await sessions.create(id);
    await sessions.delete('a');
    await sessions.storeGlobalProgram('p', 1);
    await sessions.storeGlobalProgram('q', 1);
    await sessions.deleteGlobalProgram('p');
    clock.advance(500);
    await sessions.touch('b');
    clock.advance(500);
    expect(await sessions.cleanupExpired()).toBe(1);
    expect(await sessions.stats()).toEqual({
      created: 3,
      deleted: 1,
      expired: 1,
      cleanupRuns: 1,
      globalsStored: 2,
      globalsDeleted: 1,
      globalsExpired: 1,
      sessions: 1,
      globals: 0,
      memoryBytes: expect.any(Number),
    });
  });

  it('leaves no timer after close and refuses further use with MISUSE', async () => {
    const { sessions, clock } = setUp();
    await sessions.create('a');
    sessions.rememberWorker('a', 'w-1');
    await sessions.close();
    await sessions.close();
    sessions.rememberWorker('a', 'w-1');
    expect(clock.timers).toBe(0);
    await expect(sessions.get('a')).rejects.toMatchObject({ code: 'MISUSE' });
  });
});
