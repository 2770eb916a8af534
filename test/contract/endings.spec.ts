import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CORE_COMBINATIONS, identitiesOf, usePool } from '../support/combinations.js';
import { failureOf } from '../support/outcomes.js';
import { pidIsAlive, untilGone } from '../support/processes.js';
import { entryWith, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const SIZE = 2;
const FOREVER = 30_000;

describe.each(CORE_COMBINATIONS)('ends of calls over $name', (combination) => {
  const { can } = combination;
  const scratch = useScratch();
  const running = usePool(combination, {
    size: SIZE,
    queueTimeoutMs: 300,
    // Long enough for a worker that can be cancelled to say that it has stopped.
    cancelGraceMs: can.multiplexes ? 500 : 50,
    killGraceMs: 50,
    restart: { budget: 1_000, initialDelayMs: 1, maxDelayMs: 10 },
    // One command ends all the workers here, on purpose; test/integration/crash-barrier.spec.ts is about what that leads to.
    taint: { enabled: false },
  });
  const execute = (command: string, args?: unknown, options = {}): Promise<unknown> =>
    running().pool.execute(command, args, options);

  /** One worker, so that what occupies it occupies the pool. */
  const single = usePool(combination, { size: 1, queueTimeoutMs: 300, cancelGraceMs: 50, killGraceMs: 50 });
  const queued = (command: string, args?: unknown, options = {}): Promise<unknown> =>
    single().pool.execute(command, args, options);

  async function untilWhole(): Promise<void> {
    await waitUntil('a whole pool', () => {
      const stats = running().pool.stats();
      return stats.status === 'up' && stats.available === SIZE && stats.busy === 0 && stats.queued === 0;
    });
  }

  beforeEach(untilWhole);

  /** Whatever a case did, the pool comes back whole and answers. */
  afterEach(async () => {
    await untilWhole();
    expect(await execute('add', { a: 20, b: 22 })).toBe(42);
  });

  describe('a worker that dies under a call', () => {
    it.each([
      { what: 'exits with status 3', command: 'leave', args: { status: 3 }, exit: 'status 3' },
      { what: 'exits with status 0', command: 'leave', args: { status: 0 }, exit: 'status 0' },
      {
        what: 'kills itself with SIGKILL',
        command: 'kill_self',
        args: { name: 'SIGKILL' },
        exit: 'signal SIGKILL (not sent by this host: perhaps the system was out of memory, perhaps somebody killed it)',
      },
      {
        what: 'crashes with SIGSEGV',
        command: 'kill_self',
        args: { name: 'SIGSEGV' },
        exit: 'signal SIGSEGV (native code crashed)',
      },
    ])('fails the call with WORKER_EXITED when it $what', async ({ command, args, exit }) => {
      const before = identitiesOf(running().pool);
      const error = await failureOf(execute(command, args));
      expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run', retryable: true });
      expect(error.details).toMatchObject({ exit, command, pool: 'default' });
      await untilWhole();
      const after = identitiesOf(running().pool);
      expect(after).toHaveLength(SIZE);
      expect(before.filter((each) => after.includes(each))).toHaveLength(SIZE - 1);
    });

    it.runIf(can.hasProcesses)('takes what the command started with it', async () => {
      const grandchild = (await execute('start_grandchild')) as number;
      expect(pidIsAlive(grandchild)).toBe(true);
      await Promise.all([failureOf(execute('leave', { status: 1 })), failureOf(execute('leave', { status: 1 }))]);
      await untilGone([grandchild]);
    });

    it('makes an idempotent call again on another worker', async () => {
      const error = await failureOf(execute('leave', { status: 4 }, { idempotent: true }));
      expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
      expect(running().pool.stats().errorsByCode.WORKER_EXITED).toBeGreaterThan(0);
    });
  });

  describe('a deadline', () => {
    it('fails the call with CALL_TIMEOUT and replaces a worker whose command does not stop', async () => {
      const path = scratch();
      const error = await failureOf(execute('block', { ms: FOREVER, path }, { timeoutMs: 500 }));
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run', httpStatus: 504 });
      expect(error.details).toMatchObject({ timeoutMs: 500, command: 'block' });
      expect(error.details['waitedMs']).toBeLessThan(500);
      expect(await entryWith(path, 'began')).toBeDefined();
      const worker = error.details['worker'] as string;
      await waitUntil(
        'its replacement',
        () =>
          !running()
            .pool.workers()
            .some(({ id }) => id === worker),
      );
    });

    it('that passes in the queue says so, and the call never started', async () => {
      const blocking = queued('block', { ms: 400 });
      const error = await failureOf(queued('block', { ms: 1 }, { timeoutMs: 100 }));
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'not-started' });
      expect(error.details['waitedMs']).toBeGreaterThanOrEqual(95);
      expect(error.details['worker']).toBeUndefined();
      expect(await blocking).toBe(400);
    });

    it('of the queue alone is QUEUE_TIMEOUT, with the load of the pool', async () => {
      const blocking = queued('block', { ms: 600 });
      const error = await failureOf(queued('block', { ms: 1 }));
      expect(error).toMatchObject({ code: 'QUEUE_TIMEOUT', delivery: 'not-started', retryable: true });
      expect(error.details).toMatchObject({ queueTimeoutMs: 300, busy: 1, workers: 1 });
      expect(error.details['waitedMs']).toBeGreaterThanOrEqual(295);
      await blocking;
    });

    it('counts the time in the queue and says how much of it that was', async () => {
      const blocking = queued('block', { ms: 200 });
      const error = await failureOf(queued('doze', { ms: FOREVER }, { timeoutMs: 1_000 }));
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
      expect(error.details['waitedMs']).toBeGreaterThanOrEqual(150);
      expect(error.details['waitedMs']).toBeLessThan(1_000);
      await blocking;
      await waitUntil('the worker', () => single().pool.stats().available === 1);
    });

    it('stops an asynchronous command in its worker, which stays where the protocol can cancel', async () => {
      const before = identitiesOf(running().pool);
      const error = await failureOf(execute('doze', { ms: FOREVER }, { timeoutMs: 100 }));
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
      await untilWhole();
      if (can.multiplexes) {
        expect(identitiesOf(running().pool)).toEqual(before);
      } else {
        await waitUntil('a replacement', () => identitiesOf(running().pool).some((each) => !before.includes(each)));
      }
    });

    it('is told to the command where the protocol can', async () => {
      const left = await execute('milliseconds_left', null, { timeoutMs: 5_000 });
      if (!can.multiplexes) return expect(left).toBeNull();
      // In milliseconds, of which some have passed.
      expect(left).toBeGreaterThan(1_000);
      expect(left).toBeLessThanOrEqual(5_001);
    });

    it('may be absent', async () => {
      expect(await execute('milliseconds_left', null, { timeoutMs: Number.POSITIVE_INFINITY })).toBeNull();
    });

    it('must be a number above 0', async () => {
      const error = await failureOf(execute('nothing', null, { timeoutMs: 0 }));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    });
  });

  describe('an AbortSignal', () => {
    it('that is aborted before the call keeps it from starting', async () => {
      const path = scratch();
      const signal = AbortSignal.abort(new Error('gone'));
      const error = await failureOf(execute('block', { ms: 1, path }, { signal }));
      expect(error).toMatchObject({ code: 'CANCELLED', delivery: 'not-started', cause: { message: 'gone' } });
    });

    it('that aborts in the queue takes the call out of it', async () => {
      const blocking = queued('block', { ms: 150 });
      const controller = new AbortController();
      const call = failureOf(queued('block', { ms: 1 }, { signal: controller.signal }));
      expect(single().pool.stats().queued).toBe(1);
      controller.abort(new Error('gone'));
      expect(await call).toMatchObject({ code: 'CANCELLED', delivery: 'not-started' });
      expect(single().pool.stats().queued).toBe(0);
      await blocking;
    });

    it('that aborts during the call fails it at once and reaches the command where the protocol can', async () => {
      const path = scratch();
      const controller = new AbortController();
      const command = can.multiplexes ? 'until_cancelled' : 'block';
      const args = can.multiplexes ? { path } : { path, ms: 800 };
      const call = failureOf(execute(command, args, { signal: controller.signal }));
      await entryWith(path, 'began');
      controller.abort(new Error('gone'));
      expect(await call).toMatchObject({ code: 'CANCELLED', delivery: 'may-have-run', cause: { message: 'gone' } });
      // The caller knows before the worker is through with it, and until then its hands are not free.
      expect(running().pool.stats().busy).toBe(1);
      if (!can.multiplexes) return;
      expect((await entryWith(path, 'at'))['cancelled']).toBe(true);
    });

    it('that aborts after the call changes nothing', async () => {
      const controller = new AbortController();
      expect(await execute('add', { a: 1, b: 2 }, { signal: controller.signal })).toBe(3);
      controller.abort();
      expect(await execute('add', { a: 1, b: 2 })).toBe(3);
    });
  });
});
