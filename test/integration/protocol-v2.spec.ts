import { fileURLToPath } from 'node:url';

import { createSnakepit, custom, Snakepit, type LogRecord } from 'nestjs-snakepit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { failureOf, received } from '../support/outcomes.js';
import { pidIsAlive, untilGone } from '../support/processes.js';
import { waitUntil } from '../support/wait-until.js';

const SCRIPT = fileURLToPath(new URL('../fixtures/integration/raw_v2.py', import.meta.url));
const SIZE = 2;

const raw = (mode: string) =>
  custom({ executable: 'python3', script: SCRIPT, args: [mode], protocol: 'v2', codec: 'json' });

const BREACHES = [
  { how: 'four-gigabytes', what: 'announces a frame of 4 GB', says: /4294967295 bytes exceeds maxFrameBytes/ },
  { how: 'garbage', what: 'sends random bytes', says: /exceeds maxFrameBytes|kind/ },
  { how: 'http', what: 'speaks HTTP', says: /exceeds maxFrameBytes/ },
  { how: 'unknown-id', what: 'answers a call that is not in flight', says: /not in flight/ },
  { how: 'id-0', what: 'answers call 0', says: /not in flight/ },
  { how: 'unknown-kind', what: 'sends an unknown kind', says: /0x77/ },
  { how: 'wrong-way', what: 'sends a kind that only hosts send', says: /0x10/ },
  { how: 'hello-again', what: 'says hello again', says: /0x1/ },
  { how: 'chunk-for-call', what: 'sends a chunk for a call that is no stream', says: /not a stream/ },
  { how: 'end-for-call', what: 'ends a call that is no stream as one', says: /not a stream/ },
  { how: 'bad-json', what: 'sends a body that is no JSON', says: /JSON/ },
  { how: 'bad-utf8', what: 'sends a body that is no UTF-8', says: /UTF-8/i },
  { how: 'bad-tag', what: 'sends an attachment out of bounds', says: /\$bin|attachment/ },
  { how: 'too-deep', what: 'sends a result nested too deeply', says: /maxDepth|deep/ },
  { how: 'tags-in-tags', what: 'sends tags nested in tags', says: /\$typed/ },
  { how: 'attachment-twice', what: 'refers to an attachment twice', says: /\$bin/ },
  { how: 'too-many', what: 'sends a result of too many values', says: /maxElements \(1000\)/ },
  { how: 'bad-event', what: 'sends an event without a name', says: /name/ },
  { how: 'bad-host-call', what: 'asks the host without a method', says: /method/ },
];

describe('a v2 worker that breaks the protocol', () => {
  const logs: LogRecord[] = [];
  let snakepit: Snakepit;
  const pool = () => snakepit.pool();

  beforeAll(async () => {
    const restart = { initialDelayMs: 1, maxDelayMs: 10, budget: 1_000 };
    snakepit = await createSnakepit(
      { adapter: raw('well'), size: SIZE, window: 1, cancelGraceMs: 50, killGraceMs: 100, maxElements: 1_000, restart },
      { log: (record) => logs.push(record) },
    );
  });
  afterAll(() => snakepit.close());

  const untilWhole = () => waitUntil('a whole pool', () => pool().stats().available === SIZE);
  afterEach(async () => {
    await untilWhole();
    expect(await pool().execute('good')).toBe(42);
  });

  it.each(BREACHES)('is replaced and its call fails with PROTOCOL_ERROR when it $what', async ({ how, says }) => {
    const before = pool().stats().pids;
    const error = await failureOf(pool().execute('bad', { how }));
    expect(error).toMatchObject({ code: 'PROTOCOL_ERROR', delivery: 'may-have-run', retryable: false });
    expect(error.message).toMatch(says);
    await untilWhole();
    const gone = before.filter((pid) => !pool().stats().pids.includes(pid));
    expect(gone).toHaveLength(1);
    await untilGone(gone);
    expect(logs.some(({ level, message }) => level === 'error' && message.includes('wire protocol'))).toBe(true);
  });

  it.each([
    { how: 'truncated', exit: 'status 0' },
    { how: 'truncated-header', exit: 'status 9' },
  ])('fails its call with WORKER_EXITED when it exits within a frame: $how', async ({ how, exit }) => {
    const error = await failureOf(pool().execute('bad', { how }));
    expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run', details: { exit } });
  });

  it('is killed when it closes its channel and lives on', async () => {
    const before = pool().stats().pids;
    const error = await failureOf(pool().execute('bad', { how: 'closes' }));
    expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    await untilWhole();
    await untilGone(before.filter((pid) => !pool().stats().pids.includes(pid)));
  });

  it('is killed when it never answers, at the deadline', async () => {
    const error = await failureOf(pool().execute('bad', { how: 'never' }, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    const worker = error.details['worker'] as string;
    await waitUntil(
      'its replacement',
      () =>
        !pool()
          .workers()
          .some(({ id }) => id === worker),
    );
  });

  it('is replaced when it answers twice; the first answer counts', async () => {
    const before = pool().stats().pids;
    expect(await pool().execute('bad', { how: 'duplicate' })).toBe(1);
    await waitUntil('a replacement', () =>
      pool()
        .stats()
        .pids.some((pid) => !before.includes(pid)),
    );
  });

  it('is replaced when it goes on after the end of a stream; the stream was whole', async () => {
    const before = pool().stats().pids;
    expect(await received(pool().stream('items', { how: 'chunk-after-end' }))).toEqual({
      items: [1],
      error: undefined,
    });
    await waitUntil('a replacement', () =>
      pool()
        .stats()
        .pids.some((pid) => !before.includes(pid)),
    );
  });

  it('that dies within a stream fails it after the items that came', async () => {
    const { items, error } = await received(pool().stream('items', { how: 'dies' }));
    expect(items).toEqual([1, 2]);
    expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run', details: { exit: 'status 5' } });
  });

  it.each([
    { how: 'odd-error', says: /just text/ },
    { how: 'invented-code', says: /says who/ },
  ])('may send an odd error, which is a REMOTE_ERROR: $how', async ({ how, says }) => {
    const error = await failureOf(pool().execute('bad', { how }));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran' });
    expect(error.message).toMatch(says);
  });

  it('may send a frame byte by byte', async () => {
    expect(await pool().execute('bad', { how: 'in-pieces' })).toBe(1);
  });

  it('does not harm calls of other workers', async () => {
    const breaking = failureOf(pool().execute('bad', { how: 'unknown-id' }));
    const values = await Promise.all([1, 2, 3, 4].map((value) => pool().execute('good', { value })));
    expect(values).toEqual([1, 2, 3, 4]);
    expect(await breaking).toMatchObject({ code: 'PROTOCOL_ERROR' });
  });
});

describe('a v2 worker that does not start', () => {
  async function bootError(mode: string, options = {}) {
    const snakepit = new Snakepit({ adapter: raw(mode), size: 1, killGraceMs: 100, ...options });
    const pids: number[] = [];
    const starting = failureOf(snakepit.start());
    await waitUntil('the process', () => {
      pids.push(...snakepit.pool().stats().pids);
      return pids.length > 0;
    });
    const error = await starting;
    expect(pids.some(pidIsAlive)).toBe(false);
    expect(error.code).toBe('WORKER_START_FAILED');
    expect(error.message).toContain(`raw_v2.py ${mode}`);
    expect(error.message).toContain('what to do:');
    return error;
  }

  it.each([
    { mode: 'no-json', says: /hello/i },
    { mode: 'no-map', says: /hello/i },
    { mode: 'no-codec', says: /codec/ },
    { mode: 'unoffered-codec', says: /msgpack.*not offered/ },
    { mode: 'protocol-3', says: /protocol/ },
    { mode: 'bad-manifest', says: /commands/ },
    { mode: 'result-first', says: /not a hello/ },
    { mode: 'four-gigabytes', says: /4294967295/ },
    { mode: 'closes', says: /closed the channel/ },
  ])('fails the boot and says why, and leaves no process: $mode', async ({ mode, says }) => {
    expect((await bootError(mode)).message).toMatch(says);
  });

  it('fails the boot after startTimeoutMs when it never says hello', async () => {
    expect((await bootError('silent', { startTimeoutMs: 300 })).message).toContain('not ready within 300 ms');
  });

  it('fails the boot with its exit status and last words', async () => {
    const error = await bootError('exits');
    expect(error.message).toMatch(/exit: +status 7/);
    expect(error.message).toContain('no model found under /models');
  });

  it('fails the boot with the reason it gave', async () => {
    const error = await bootError('refuses');
    expect(error.message).toContain('the licence has expired');
    expect(error.message).toContain('Traceback: licence.py');
    expect(error.message).toMatch(/exit: +status 1/);
  });

  it('starts when its hello comes byte by byte', async () => {
    const snakepit = await createSnakepit({ adapter: raw('in-pieces'), size: 1 });
    expect(await snakepit.pool().execute('good')).toBe(42);
    await snakepit.close();
  });
});
