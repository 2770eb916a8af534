import { describe, expect, it } from 'vitest';

import { CORE_COMBINATIONS, usePool } from '../support/combinations.js';
import { failureOf, itemsOf } from '../support/outcomes.js';
import { entriesOf, entryWith, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

interface WorkerFacts {
  readonly id: string;
  readonly pid: number;
}

const SIZE = 3;

describe.each(CORE_COMBINATIONS)('sessions over $name', (combination) => {
  const { can } = combination;
  const scratch = useScratch();
  const record = scratch('closed');
  const running = usePool(combination, { size: SIZE, env: { SESSION_RECORD: record } });
  const execute = (command: string, args?: unknown): Promise<unknown> => running().pool.execute(command, args);
  const within = (session: string, command: string, args?: unknown): Promise<unknown> =>
    running().pool.executeInSession(session, command, args);
  const untilWhole = () => waitUntil('a whole pool', () => running().pool.stats().available === SIZE);

  if (can.multiplexes)
    describe('data', () => {
      it('is written and read from inside the worker, and seen by the host', async () => {
        await within('data', 'session_set', { key: 'city', value: { name: 'Łódź', since: [1423] } });
        expect(await within('data', 'session_get', { key: 'city' })).toEqual({ name: 'Łódź', since: [1423] });
        expect((await running().snakepit.sessions.get('data')).metadata).toEqual({
          city: { name: 'Łódź', since: [1423] },
        });
      });

      it('that the host wrote is read in the worker', async () => {
        await running().snakepit.sessions.create('by-host', { metadata: { a: 1 }, programs: { p: 'x => x' } });
        expect(await within('by-host', 'session_get', { key: 'a' })).toBe(1);
        expect(await within('by-host', 'program_get', { key: 'p' })).toBe('x => x');
      });

      it('holds binary, times and large integers', async () => {
        const value = { bytes: new Uint8Array([1, 2]), at: new Date(1e12), big: 2n ** 60n };
        await within('rich', 'session_set', { key: 'v', value });
        const read = (await within('rich', 'session_get', { key: 'v' })) as typeof value;
        expect([...read.bytes]).toEqual([1, 2]);
        expect(read).toMatchObject({ at: value.at, big: value.big });
      });

      it('has keys, and no value for a key that is not there', async () => {
        await within('keys', 'session_set', { key: 'a', value: 1 });
        await within('keys', 'session_set', { key: 'b', value: 2 });
        expect(((await within('keys', 'session_keys')) as string[]).toSorted()).toEqual(['a', 'b']);
        expect(await within('keys', 'session_get', { key: 'c' })).toBeNull();
      });

      it('can be deleted, and says whether it was there', async () => {
        await within('delete', 'session_set', { key: 'a', value: 1 });
        expect(await within('delete', 'session_delete', { key: 'a' })).toBe(true);
        expect(await within('delete', 'session_delete', { key: 'a' })).toBe(false);
        expect(await within('delete', 'session_keys')).toEqual([]);
      });

      it('of one session is not seen by another', async () => {
        await within('one', 'session_set', { key: 'a', value: 1 });
        expect(await within('two', 'session_get', { key: 'a' })).toBeNull();
      });

      it('keeps programs apart from other values', async () => {
        await within('programs', 'program_set', { key: 'double', value: { code: 'x * 2' } });
        expect(await within('programs', 'program_get', { key: 'double' })).toEqual({ code: 'x * 2' });
        expect(await within('programs', 'session_get', { key: 'double' })).toBeNull();
        expect(await running().snakepit.sessions.getProgram('programs', 'double')).toEqual({ code: 'x * 2' });
      });

      it('of globals is shared by sessions and by calls without one', async () => {
        await execute('global_set', { key: 'rate', value: 1.5 });
        expect(await within('any', 'global_get', { key: 'rate' })).toBe(1.5);
        expect(await running().snakepit.sessions.getGlobalProgram('rate')).toBe(1.5);
      });

      it.each(['session_add', 'session_add_later'])(
        'is counted up by concurrent calls without losing one: %s',
        async (command) => {
          const calls = Array.from({ length: 60 }, () => within(command, command, { key: 'n', amount: 2 }));
          const values = await Promise.all(calls);
          expect(values.toSorted((a, b) => (a as number) - (b as number))).toEqual(
            Array.from({ length: 60 }, (_, n) => 2 * (n + 1)),
          );
          expect(await within(command, 'session_get', { key: 'n' })).toBe(120);
        },
      );

      it('of globals is counted up by several workers at once without losing one', async () => {
        const before = running()
          .pool.workers()
          .map(({ requests }) => requests);
        await Promise.all(Array.from({ length: 120 }, () => execute('global_add', { key: 'hits', amount: 1 })));
        expect(await execute('global_get', { key: 'hits' })).toBe(120);
        const busy = running()
          .pool.workers()
          .filter(({ requests }, n) => requests > (before[n] ?? 0));
        expect(busy.length).toBeGreaterThan(1);
      });

      it('is left as it was when the update raises', async () => {
        await within('raise', 'session_set', { key: 'n', value: 7 });
        const error = await failureOf(within('raise', 'session_change', { key: 'n' }));
        expect(error.remote).toMatchObject({ type: 'ReportError', message: 'no change' });
        expect(await within('raise', 'session_get', { key: 'n' })).toBe(7);
      });

      it('outlives the worker that wrote it', async () => {
        await within('survivor', 'session_set', { key: 'n', value: 7 });
        const { id } = (await within('survivor', 'worker')) as WorkerFacts;
        await failureOf(within('survivor', 'kill_self', { name: 'SIGKILL' }));
        expect(await within('survivor', 'session_get', { key: 'n' })).toBe(7);
        expect(((await within('survivor', 'worker')) as WorkerFacts).id).not.toBe(id);
        await untilWhole();
      });

      it('is out of reach for a call without a session', async () => {
        expect(await execute('session_id')).toBeNull();
        expect(await failureOf(execute('session_get', { key: 'a' }))).toMatchObject({ code: 'REMOTE_ERROR' });
      });

      it('is refused with its path when it cannot be stored', async () => {
        const huge = await failureOf(within('huge', 'session_set', { key: 'a', value: 'x'.repeat(2 << 20) }));
        expect(huge.remote?.type).toMatch(/error/i);
        expect(huge.message).toContain('maxValueBytes');
      });

      it('tells the command the id of its session, in streams too', async () => {
        expect(await within('named', 'session_id')).toBe('named');
        expect(await itemsOf(running().pool.streamInSession('named', 'session_id'))).toEqual(['named']);
      });
    });

  if (!can.multiplexes)
    describe('data', () => {
      it.each([
        ['session_get', { key: 'a' }],
        ['session_set', { key: 'a', value: 1 }],
        ['session_keys', {}],
      ])('is out of reach: %s fails and leaves the host as it was', async (command, args) => {
        const error = await failureOf(within('v1', command, args));
        expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran' });
        expect(await running().snakepit.sessions.exists('v1')).toBe(false);
      });

      it('of globals is out of reach, and the error says what to do', async () => {
        const error = await failureOf(execute('global_get', { key: 'a' }));
        expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran' });
        expect(error.message).toMatch(/v2/);
      });
    });

  it('keep to one worker while it is free', async () => {
    const first = (await within('sticky', 'worker')) as WorkerFacts;
    for (let n = 0; n < 10; n += 1) expect(await within('sticky', 'worker')).toEqual(first);
    expect(await running().snakepit.sessions.lastWorker('sticky')).toBe(first.id);
  });

  it('must have an id', async () => {
    expect(await failureOf(within('', 'worker'))).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
  });

  it('that end run the hook of each worker that served them, where the protocol tells', async () => {
    const { id } = (await within('ending', 'worker')) as WorkerFacts;
    await running().snakepit.sessions.delete('ending');
    if (!can.multiplexes) {
      await execute('nothing');
      expect(entriesOf(record)).toEqual([]);
      return;
    }
    await entryWith(record, 'closed');
    expect(entriesOf(record)).toContainEqual({ closed: 'ending', worker: id });
  });
});

describe.each(CORE_COMBINATIONS)('affinity over $name', (combination) => {
  describe('hint', () => {
    const running = usePool(combination, { size: 2, affinity: 'hint' });

    it('lets another worker serve a session whose worker is busy', async () => {
      const { pool } = running();
      const home = await pool.executeInSession<WorkerFacts>('s', 'worker');
      const blocking = pool.executeInSession('s', 'block', { ms: 300 });
      const other = await pool.executeInSession<WorkerFacts>('s', 'worker');
      expect(other.pid).not.toBe(home.pid);
      await blocking;
    });
  });

  describe('strict-queue', () => {
    const running = usePool(combination, { size: 2, affinity: 'strict-queue' });

    it('lets a session wait for its worker, and others go on', async () => {
      const { pool } = running();
      const home = await pool.executeInSession<WorkerFacts>('s', 'worker');
      const blocking = pool.executeInSession('s', 'block', { ms: 200 });
      const waiting = pool.executeInSession<WorkerFacts>('s', 'worker');
      expect((await pool.execute<WorkerFacts>('worker')).pid).not.toBe(home.pid);
      expect(pool.stats().queued).toBe(1);
      expect(await waiting).toEqual(home);
      await blocking;
    });

    it('fails what waits for a worker that dies', async () => {
      const { pool } = running();
      await pool.executeInSession('t', 'worker');
      const dying = failureOf(pool.executeInSession('t', 'kill_self', { name: 'SIGKILL' }));
      const waiting = failureOf(pool.executeInSession('t', 'worker'));
      expect(await dying).toMatchObject({ code: 'WORKER_EXITED' });
      expect(await waiting).toMatchObject({ code: 'SESSION_WORKER_UNAVAILABLE', delivery: 'not-started' });
      expect(await pool.executeInSession('t', 'add', { a: 1, b: 2 })).toBe(3);
    });
  });

  describe('strict-fail-fast', () => {
    const running = usePool(combination, { size: 2, affinity: 'strict-fail-fast' });

    it('refuses a call of a session whose worker is busy', async () => {
      const { pool } = running();
      const home = await pool.executeInSession<WorkerFacts>('s', 'worker');
      const blocking = pool.executeInSession('s', 'block', { ms: 200 });
      const error = await failureOf(pool.executeInSession('s', 'worker'));
      expect(error).toMatchObject({ code: 'SESSION_WORKER_UNAVAILABLE', delivery: 'not-started', retryable: true });
      expect(error.details).toMatchObject({ session: 's', reason: 'busy' });
      await blocking;
      expect(await pool.executeInSession('s', 'worker')).toEqual(home);
    });
  });
});
