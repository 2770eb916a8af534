import { setTimeout as sleep } from 'node:timers/promises';

import { firstValueFrom, share, Subject, take } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { CORE_COMBINATIONS, usePool, type Combination } from '../support/combinations.js';
import { failureOf, itemsOf, received } from '../support/outcomes.js';
import { entryWith, numberIn, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const MAX_FRAME_BYTES = 2 ** 20;
const CREDIT = 16;

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe.each(CORE_COMBINATIONS.filter(({ can }) => can.multiplexes))(
  'streams over $name',
  (combination: Combination) => {
    const scratch = useScratch();
    const running = usePool(combination, {
      maxFrameBytes: MAX_FRAME_BYTES,
      streamCredit: CREDIT,
      cancelGraceMs: 500,
      killGraceMs: 200,
    });
    const pool = () => running().pool;

    /** Whatever a case did, nothing is left in a worker's hands. */
    afterEach(async () => {
      await waitUntil('free hands', () => pool().stats().available === 2);
      expect(await pool().execute('add', { a: 20, b: 22 })).toBe(42);
    });

    it.each(['count', 'count_later'])('gives all items of %s in their order', async (command) => {
      expect(await itemsOf(pool().stream(command, { to: 100 }))).toEqual(upTo(100));
    });

    it.each(['count', 'count_later'])('carries 10,000 items of %s', async (command) => {
      const items = await itemsOf(pool().stream(command, { to: 10_000 }));
      expect(items).toHaveLength(10_000);
      expect(items).toEqual(upTo(10_000));
    });

    it('completes when there is no item', async () => {
      expect(await itemsOf(pool().stream('empty'))).toEqual([]);
    });

    it('starts nothing before it is subscribed to, and starts anew with every subscription', async () => {
      const stream = pool().stream('count', { to: 3 });
      const { requests } = pool().stats();
      expect(await itemsOf(stream)).toEqual([0, 1, 2]);
      expect(await itemsOf(stream)).toEqual([0, 1, 2]);
      expect(pool().stats().requests).toBe(requests + 2);
    });

    it('gives the items before a failure, then the failure', async () => {
      const { items, error } = await received(pool().stream('fail_after', { items: 5 }));
      expect(items).toEqual(upTo(5));
      expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran' });
      expect(error?.remote).toMatchObject({ type: 'ReportError', message: 'after 5', data: { items: 5 } });
    });

    it('ends with INVALID_RESULT at an item that cannot be encoded', async () => {
      const { items, error } = await received(pool().stream('unserializable_item'));
      expect(items).toEqual([1]);
      expect(error).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran' });
    });

    it('ends with FRAME_TOO_LARGE at an item larger than maxFrameBytes', async () => {
      const { items, error } = await received(pool().stream('text_of', { length: MAX_FRAME_BYTES + 1 }));
      expect(items).toEqual([]);
      expect(error).toMatchObject({ code: 'FRAME_TOO_LARGE', delivery: 'ran' });
      expect(error?.message).toContain("raise 'maxFrameBytes'");
      expect(await itemsOf(pool().stream('text_of', { length: MAX_FRAME_BYTES - 200 }))).toHaveLength(1);
    });

    it('gives the result of a plain command as its one item', async () => {
      expect(await itemsOf(pool().stream('add', { a: 1, b: 2 }))).toEqual([3]);
      expect(await itemsOf(pool().stream('add_later', { a: 1, b: 2 }))).toEqual([3]);
    });

    it('refuses a plain call of a stream', async () => {
      const error = await failureOf(pool().execute('count', { to: 3 }));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
      expect(error.message).toContain('count');
    });

    it('refuses unknown commands and arguments that cannot be sent, as calls do', async () => {
      expect((await received(pool().stream('no_such_command'))).error).toMatchObject({ code: 'UNKNOWN_COMMAND' });
      const { error } = await received(pool().stream('count', { to: () => 3 }));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    });

    it.each(['ticks', 'ticks_later'])('closes the generator of %s when its consumer leaves', async (command) => {
      const path = scratch();
      await new Promise<void>((resolve) => {
        let seen = 0;
        const subscription = pool()
          .stream(command, { path, ms: 2 })
          .subscribe(() => {
            seen += 1;
            if (seen !== 5) return;
            // From a turn of its own, as a client that hangs up.
            setImmediate(() => {
              subscription.unsubscribe();
              resolve();
            });
          });
      });
      expect((await entryWith(path, 'at'))['produced']).toBeLessThan(5 + CREDIT + CREDIT);
    });

    it('closes a generator that never pauses', async () => {
      const path = scratch();
      expect(await itemsOf(pool().stream<number>('endless', { path }).pipe(take(3)))).toEqual([1, 2, 3]);
      expect((await entryWith(path, 'at'))['produced']).toBeLessThanOrEqual(3 * CREDIT);
    });

    it('closes the generator when its signal aborts, and fails with CANCELLED', async () => {
      const path = scratch();
      const controller = new AbortController();
      const stream = pool().stream('ticks_later', { path, ms: 2 }, { signal: controller.signal }).pipe(share());
      const outcome = received(stream);
      await firstValueFrom(stream);
      controller.abort();
      expect((await outcome).error).toMatchObject({ code: 'CANCELLED', delivery: 'may-have-run' });
      await entryWith(path, 'at');
    });

    it('ends with CALL_TIMEOUT at its deadline, and the generator is closed', async () => {
      const path = scratch();
      const { items, error } = await received(pool().stream('ticks_later', { path, ms: 5 }, { timeoutMs: 100 }));
      expect(items.length).toBeGreaterThan(2);
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
      await entryWith(path, 'at');
    });

    it('suspends the worker when its consumer never reads', async () => {
      const path = scratch();
      const iterator = pool().iterate<{ number: number }>('numbered', { path, size: 10_000 });
      expect((await iterator.next()).value).toMatchObject({ number: 1 });
      await waitUntil('the credit to be used up', () => numberIn(path) >= CREDIT);
      // A worker that is not suspended makes thousands in this time.
      await sleep(200);
      expect(numberIn(path)).toBeLessThanOrEqual(CREDIT + 1);
      await iterator.return();
    });

    it('goes on where it was suspended, without loss', async () => {
      const numbers: number[] = [];
      for await (const number of pool().iterate<number>('count', { to: 200 })) {
        numbers.push(number);
        if (number % 50 === 0) await sleep(5);
      }
      expect(numbers).toEqual(upTo(200));
    });

    it('stops the command when its loop is left', async () => {
      const path = scratch();
      for await (const number of pool().iterate<number>('endless', { path })) if (number === 3) break;
      expect((await entryWith(path, 'at'))['produced']).toBeLessThanOrEqual(3 * CREDIT);
    });

    it('lets calls be answered beside it', async () => {
      const path = scratch();
      const begun = new Subject<unknown>();
      const firstItem = firstValueFrom(begun);
      const subscription = pool().stream('ticks_later', { path, ms: 1 }).subscribe(begun);
      const sums = await Promise.all(upTo(50).map((n) => pool().execute('add', { a: n, b: 1 })));
      expect(sums).toEqual(upTo(50).map((n) => n + 1));
      // A stream that is cancelled before it began has nothing to record.
      await firstItem;
      subscription.unsubscribe();
      await entryWith(path, 'at');
    });

    it('is not begun again after its worker died with items given', async () => {
      const path = scratch();
      const stream = pool().stream('ticks', { path, ms: 5 }, { idempotent: true }).pipe(share());
      const outcome = received(stream);
      await firstValueFrom(stream);
      const busy = await waitUntil('the stream', () =>
        pool()
          .workers()
          .find(({ inFlight }) => inFlight > 0),
      );
      running().killWorker(busy.id);
      const { items, error } = await outcome;
      expect(items).toEqual(upTo(items.length).map((n) => n + 1));
      expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    });
  },
);

describe.each(CORE_COMBINATIONS.filter(({ can }) => !can.multiplexes))(
  'streams over $name',
  (combination: Combination) => {
    const running = usePool(combination);

    it.each(['count', 'count_later', 'empty', 'add'])('are refused as UNSUPPORTED: %s', async (command) => {
      const { items, error } = await received(running().pool.stream(command, { to: 3 }));
      expect(items).toEqual([]);
      expect(error).toMatchObject({ code: 'UNSUPPORTED', delivery: 'not-started', retryable: false });
      expect(error?.message).toContain("protocol 'v2'");
      expect(await running().pool.execute('add', { a: 20, b: 22 })).toBe(42);
    });

    it('are refused when called as a call, too', async () => {
      const error = await failureOf(running().pool.execute('count', { to: 3 }));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
      expect(error.message).toMatch(/stream.* v2/);
    });
  },
);
