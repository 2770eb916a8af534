import { describe, expect, it } from 'vitest';

import { SnakepitError } from '../core/index.js';
import type { CallListener, Pool } from '../pool/index.js';
import { iterate, observe, type StreamRequest } from './streams.js';

/** Stands for a pool: hands out its listener and records what the stream's consumer asks for. */
class ScriptedPool {
  readonly options: { streamCredit: number };
  readonly grants: number[] = [];
  started = 0;
  cancels = 0;
  listener!: CallListener;
  constructor(streamCredit: number) {
    this.options = { streamCredit };
  }
  stream(_command: string, _args: unknown, _options: object, listener: CallListener): object {
    this.started += 1;
    this.listener = listener;
    return { grant: (chunks: number) => this.grants.push(chunks), cancel: () => (this.cancels += 1) };
  }
}

function setup(streamCredit = 4): { pool: ScriptedPool; request: StreamRequest } {
  const pool = new ScriptedPool(streamCredit);
  return { pool, request: { pool: pool as unknown as Pool, command: 'walk', args: null, options: {} } };
}

describe('iterate', () => {
  it('starts when the first item is asked for, and grants only what was consumed', async () => {
    const { pool, request } = setup(4);
    const items = iterate<number>(request);
    expect(pool.started).toBe(0);
    const first = items.next();
    for (const item of [1, 2, 3, 4]) pool.listener.onChunk(item);
    expect(await first).toEqual({ value: 1, done: false });
    expect(pool.grants).toEqual([]);
    await items.next();
    expect(pool.grants).toEqual([]);
    // Asking for the third item says that two are done with.
    await items.next();
    expect(pool.grants).toEqual([2]);
    await items.next();
    const end = items.next();
    expect(pool.grants).toEqual([2, 2]);
    pool.listener.onEnd();
    expect(await end).toEqual({ value: undefined, done: true });
  });

  it('ends a wait for the next item when it is left', async () => {
    const { pool, request } = setup();
    const items = iterate<number>(request);
    const first = items.next();
    await items.return();
    expect(await first).toEqual({ value: undefined, done: true });
    expect(pool.cancels).toBe(1);
  });

  it('delivers what arrived before an error, then the error', async () => {
    const { pool, request } = setup();
    const items = iterate<number>(request);
    const first = items.next();
    pool.listener.onChunk(1);
    pool.listener.onChunk(2);
    pool.listener.onError(new SnakepitError('WORKER_EXITED', {}));
    expect((await first).value).toBe(1);
    expect((await items.next()).value).toBe(2);
    await expect(items.next()).rejects.toMatchObject({ code: 'WORKER_EXITED' });
    expect((await items.next()).done).toBe(true);
  });

  it('stops the command when its loop is left', async () => {
    const { pool, request } = setup();
    const items = iterate<number>(request);
    const first = items.next();
    pool.listener.onChunk(1);
    await first;
    await items.return();
    expect(pool.cancels).toBe(1);
  });

  it('does not start a command whose iterator is closed unused', async () => {
    const { pool, request } = setup();
    await iterate(request).return();
    expect([pool.started, pool.cancels]).toEqual([0, 0]);
  });
});

describe('observe', () => {
  it('is cold, grants in batches and completes', () => {
    const { pool, request } = setup(4);
    const stream = observe<number>(request);
    expect(pool.started).toBe(0);
    const heard: unknown[] = [];
    stream.subscribe({ next: (item) => heard.push(item), complete: () => heard.push('complete') });
    for (const item of [1, 2, 3]) pool.listener.onChunk(item);
    expect(pool.grants).toEqual([2]);
    pool.listener.onEnd();
    expect(heard).toEqual([1, 2, 3, 'complete']);
  });

  it('stops the command when its subscriber leaves, and hands on errors', () => {
    const { pool, request } = setup();
    observe(request).subscribe().unsubscribe();
    expect(pool.cancels).toBe(1);
    const heard: unknown[] = [];
    observe(request).subscribe({ error: (error: SnakepitError) => heard.push(error.code) });
    pool.listener.onError(new SnakepitError('CANCELLED'));
    expect([pool.started, heard]).toEqual([2, ['CANCELLED']]);
  });

  it('grants one by one when the credit is 1', () => {
    const { pool, request } = setup(1);
    observe(request).subscribe();
    pool.listener.onChunk('a');
    pool.listener.onChunk('b');
    expect(pool.grants).toEqual([1, 1]);
  });
});
