import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';

import type { InputSource } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { COMBINATIONS, usePool, type Combination } from '../support/combinations.js';
import { failureOf, itemsOf, received } from '../support/outcomes.js';
import { entryWith, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const KB = 1024;
const CREDIT = 16;
const MODULE = 'inputs/commands';
const BYTES = randomBytes(3 * 1024 * KB + 17);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The bytes in pieces of uneven sizes, an empty one among them. */
function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  const sizes = [1, 700 * KB, 0, 3, 64 * KB, 1100 * KB];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** A source that counts what is pulled of it, and tells how it was left. */
class Counted {
  pulled = 0;
  left: 'at its end' | 'early' | undefined;

  constructor(
    private readonly chunks: number,
    private readonly chunk: Uint8Array = Buffer.alloc(64 * KB, 0x61),
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let isAtEnd = false;
    try {
      while (this.pulled < this.chunks) {
        this.pulled += 1;
        yield this.chunk;
      }
      isAtEnd = true;
    } finally {
      this.left = isAtEnd ? 'at its end' : 'early';
    }
  }
}

describe.each(COMBINATIONS.filter(({ can }) => can.multiplexes))('inputs over $name', (combination: Combination) => {
  const scratch = useScratch();
  const running = usePool(
    combination,
    { size: 1, streamCredit: CREDIT, cancelGraceMs: 2_000, killGraceMs: 200 },
    MODULE,
  );
  const pool = () => running().pool;

  /** Whatever a case did, the worker is free and reads the next input. */
  afterEach(async () => {
    await waitUntil('free hands', () => pool().stats().available === 1);
    expect(await pool().execute('lines', null, { input: Readable.from([Buffer.from('a\nb\n')]) })).toEqual([
      'a\n',
      'b\n',
    ]);
  });

  const file = (): string => {
    const path = scratch('file');
    writeFileSync(path, BYTES);
    return path;
  };
  const sources: Array<[string, () => InputSource]> = [
    ['a Readable', () => Readable.from(piecesOf(BYTES))],
    ['a file', () => createReadStream(file())],
    ['a web stream', () => new Blob([BYTES]).stream() as ReadableStream<Uint8Array>],
    [
      'an async generator',
      async function* () {
        yield* piecesOf(BYTES);
      },
    ],
  ];

  it.each(sources)('gives a command all bytes of %s, in bounded chunks', async (_, source) => {
    for (const command of ['digest', 'digest_later']) {
      const result = await pool().execute<Record<string, number>>(command, null, { input: source() });
      expect(result).toEqual({ bytes: BYTES.length, sha256: sha256(BYTES), largest: expect.any(Number) });
      expect(result['largest']).toBeLessThanOrEqual(256 * KB);
    }
  });

  it('gives strings as UTF-8, and nothing for nothing', async () => {
    const text = ['snake ', '🐍', '', ' pit\n'];
    const first = async (input: InputSource): Promise<string> =>
      Buffer.from(await pool().execute<Uint8Array>('first', { count: 100 }, { input })).toString();
    expect(await first(Readable.from(text))).toBe(text.join(''));
    expect(await first(Readable.from([]))).toBe('');
  });

  it.each(['shout', 'shout_later'])('lets %s stream what it makes of its input while it reads', async (command) => {
    const input = new PassThrough();
    const items = pool().iterate<Uint8Array>(command, null, { input });
    for (const word of ['one', 'two', 'three']) {
      input.write(word);
      expect(Buffer.from((await items.next()).value!).toString()).toBe(word.toUpperCase());
    }
    input.end();
    expect(await items.next()).toEqual({ value: undefined, done: true });
  });

  it('pulls no more than the command has asked for', async () => {
    const input = new Counted(1_000);
    const stream = pool().iterate('shout', null, { input, timeoutMs: 20_000 });
    await stream.next();
    await waitUntil('the worker to use up its credit', () => input.pulled > CREDIT);
    // A worker that is not suspended has read all of it in this time.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(input.pulled).toBeLessThanOrEqual(CREDIT + 16);
    expect(input.left).toBeUndefined();
    await stream.return();
    await waitUntil('the source to be left', () => input.left === 'early');
  });

  it('lets go of the source when the command ends without reading it', async () => {
    const unread = new PassThrough();
    expect(await pool().execute('ignore', null, { input: unread })).toBe('ignored');
    await waitUntil('its end', () => unread.destroyed);
    const halfRead = new Counted(100);
    expect(await pool().execute('first', { count: 10 }, { input: halfRead })).toHaveLength(10);
    await waitUntil('its end', () => halfRead.left === 'early');
    let reason: unknown = 'not cancelled';
    const web = new ReadableStream<Uint8Array>({ cancel: (given) => void (reason = given) });
    await pool().execute('ignore', null, { input: web });
    await waitUntil('its end', () => reason === undefined);
  });

  it('lets go of the source when the call is refused', async () => {
    const input = new PassThrough();
    const error = await failureOf(pool().execute('no_such_command', null, { input }));
    expect(error.code).toBe('UNKNOWN_COMMAND');
    await waitUntil('its end', () => input.destroyed);
    const other = new PassThrough();
    await failureOf(pool().execute('ignore', null, { input: other, timeoutMs: -1 }));
    await waitUntil('its end', () => other.destroyed);
  });

  it.each(['read_all', 'read_all_later'])('fails %s, and the read in it, when the source breaks', async (command) => {
    const path = scratch();
    const cause = new Error('the disk is on fire');
    const input = new PassThrough();
    input.write('some');
    const call = failureOf(pool().execute(command, { path }, { input }));
    await entryWith(path, 'began');
    input.destroy(cause);
    const error = await call;
    expect(error).toMatchObject({ code: 'INPUT_FAILED', delivery: 'may-have-run', cause });
    expect(error.message).toContain('the disk is on fire');
    const { code } = await entryWith(path, 'failed');
    expect(['INPUT_FAILED', 'CANCELLED']).toContain(code);
  });

  it('cancels the call when whoever sends the input has left, be it read or not', async () => {
    const path = scratch();
    const input = new PassThrough();
    const call = failureOf(pool().execute('read_all', { path }, { input }));
    await entryWith(path, 'began');
    input.destroy();
    expect(await call).toMatchObject({ code: 'CANCELLED', delivery: 'may-have-run' });
    expect(await entryWith(path, 'failed')).toMatchObject({ code: 'CANCELLED' });
  });

  it('fails the call at a chunk that is neither bytes nor text', async () => {
    const input = Readable.from([Buffer.from('a'), { no: 'bytes' }]);
    const error = await failureOf(pool().execute('digest', null, { input }));
    expect(error).toMatchObject({ code: 'INPUT_FAILED' });
    expect(error.message).toMatch(/allowed are bytes and strings/);
  });

  it.each(['read_all', 'read_all_later'])('frees a worker that waits in %s when its caller leaves', async (command) => {
    const path = scratch();
    const input = new PassThrough();
    const leaving = new AbortController();
    const call = failureOf(pool().execute(command, { path }, { input, signal: leaving.signal }));
    await entryWith(path, 'began');
    leaving.abort();
    expect((await call).code).toBe('CANCELLED');
    expect(await entryWith(path, 'failed')).toMatchObject({ code: 'CANCELLED' });
    await waitUntil('its end', () => input.destroyed);
    expect(pool().stats().restarts).toBe(0);
  });

  it('frees a worker that waits for input at its deadline', async () => {
    const path = scratch();
    const call = failureOf(pool().execute('read_all', { path }, { input: new PassThrough(), timeoutMs: 300 }));
    expect((await call).code).toBe('CALL_TIMEOUT');
    await entryWith(path, 'failed');
    await waitUntil('free hands', () => pool().stats().available === 1);
    expect(pool().stats().restarts).toBe(0);
  });

  it('ends a stream that waits for input when its consumer leaves', async () => {
    const path = scratch();
    const stream = pool().iterate('stream_all', { path }, { input: new PassThrough() });
    expect((await stream.next()).done).toBe(false);
    await entryWith(path, 'began');
    await stream.return();
    await entryWith(path, 'failed');
    expect(pool().stats().restarts).toBe(0);
  });

  it('tells a command that reads an input which nobody gave what is missing', async () => {
    const path = scratch();
    const error = await failureOf(pool().execute('read_all', { path }));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', remote: { data: { code: 'INVALID_ARGUMENTS' } } });
    expect(error.message).toContain("'read_all' was given no input; its caller has to pass one by the option 'input'");
    const { error: ofStream } = await received(pool().stream('shout'));
    expect(ofStream?.message).toContain("'shout' was given no input");
  });

  it.each([
    ['a string', 'bytes', 'neither a Readable'],
    ['an array', [Buffer.from('a')], 'neither a Readable'],
    ['null', null, 'neither a Readable'],
  ])('refuses %s as an input', async (_, input, why) => {
    const error = await failureOf(pool().execute('digest', null, { input: input as never }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    expect(error.message).toContain("the option 'input' is");
    expect(error.message).toContain(why);
  });

  it('refuses a stream that was read before', async () => {
    const read = Readable.from([Buffer.from('a')]);
    for await (const _ of read);
    expect((await failureOf(pool().execute('digest', null, { input: read }))).message).toContain('read to its end');
    const web = new Blob(['a']).stream();
    const reader = web.getReader();
    const error = await failureOf(pool().execute('digest', null, { input: web as ReadableStream<Uint8Array> }));
    expect(error.message).toContain('somebody else is reading');
    await reader.cancel();
  });

  it('does not make a call again whose input was read from', async () => {
    const input = Readable.from(piecesOf(BYTES));
    const call = pool().execute('die', { path: scratch(), count: 5 }, { input, idempotent: true });
    expect(await failureOf(call)).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    await waitUntil('its end', () => input.destroyed);
    await pool().ready();
  });

  it('makes an idempotent call again whose input was not read', async () => {
    const input = Readable.from(piecesOf(BYTES));
    expect(await pool().execute('die', { path: scratch(), count: 0 }, { input, idempotent: true })).toBe(BYTES.length);
  });

  it('reads inputs of many calls one after the other', async () => {
    const texts = Array.from({ length: 50 }, (_, n) => `call ${n}\n`);
    const answers = await Promise.all(
      texts.map((text) => pool().execute('lines', null, { input: Readable.from([text]) })),
    );
    expect(answers).toEqual(texts.map((text) => [text]));
  });

  describe('readable()', () => {
    it('gives the items as one stream of bytes', async () => {
      const input = Readable.from(piecesOf(Buffer.alloc(2 * 1024 * KB, 'ab')));
      let bytes = 0;
      for await (const chunk of pool().readable('shout', null, { input })) {
        bytes += (chunk as Buffer).length;
        expect((chunk as Buffer)[0]! & 0x20).toBe(0);
      }
      expect(bytes).toBe(2 * 1024 * KB);
    });

    it('is destroyed with the error of the command', async () => {
      const stream = pool().readable('shout');
      await expect(itemsOf(pool().stream('shout'))).rejects.toThrow('no input');
      await expect(stream.toArray()).rejects.toMatchObject({ code: 'REMOTE_ERROR' });
    });

    it('stops the command when it is destroyed, and pulls nothing before it is read', async () => {
      const input = new Counted(10_000);
      const stream = pool().readable('shout', null, { input });
      expect(pool().stats().inFlight).toBe(0);
      await new Promise((resolve) => stream.once('readable', resolve));
      stream.destroy();
      await waitUntil('the source to be left', () => input.left === 'early');
      expect(input.pulled).toBeLessThan(4 * CREDIT);
    });

    it('refuses items that are neither bytes nor text', async () => {
      const path = scratch();
      const stream = pool().readable('stream_all', { path }, { input: Readable.from(['abc']) });
      const error: unknown = await stream.toArray().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'INVALID_RESULT' });
    });
  });
});

describe.each(COMBINATIONS.filter(({ language, can }) => language === 'python' && can.multiplexes))(
  'inputs as files of Python over $name',
  (combination: Combination) => {
    const running = usePool(combination, { size: 1 }, MODULE);
    const pool = () => running().pool;

    it('are read by csv and io as any file is', async () => {
      const rows = [
        ['id', 'name'],
        ['1', 'Ångström, "the" snake\nof two lines'],
      ];
      const text = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\r\n');
      const input = () => Readable.from([...Buffer.from(text)].map((byte) => Buffer.of(byte)));
      expect(await pool().execute('texts', null, { input: input() })).toEqual(rows);
      expect(await pool().execute('table', null, { input: input() })).toEqual([{ id: rows[1]![0], name: rows[1]![1] }]);
    });

    it('give exactly what read and readline ask for, however it was cut', async () => {
      const chunks = ['ab', 'c\nde', 'f', '\n', '\nlong line without end', ' but more'];
      const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
      const sizes = [3, -100, -2, -100, -100, 5, 0, -4, 100, 1, -1];
      const pieces = await pool().execute<Uint8Array[]>('pieces', { sizes }, { input });
      expect(pieces.map((piece) => Buffer.from(piece).toString())).toEqual([
        'abc',
        '\n',
        'de',
        'f\n',
        '\n',
        'long ',
        '',
        'line',
        ' without end but more',
        '',
        '',
      ]);
    });

    it('are empty once they were read', async () => {
      expect(await pool().execute('twice', null, { input: Readable.from(['abc']) })).toEqual([3, 0, 0]);
    });
  },
);

describe.each(COMBINATIONS.filter(({ can }) => !can.multiplexes))('inputs over $name', (combination: Combination) => {
  const running = usePool(combination, {}, MODULE);

  it('are refused as UNSUPPORTED, and let go of', async () => {
    const input = new PassThrough();
    const error = await failureOf(running().pool.execute('ignore', null, { input }));
    expect(error).toMatchObject({ code: 'UNSUPPORTED', delivery: 'not-started' });
    expect(error.message).toContain("protocol v1 cannot carry an input; use protocol 'v2'");
    await waitUntil('its end', () => input.destroyed);
    expect(await running().pool.execute('ignore')).toBe('ignored');
  });
});
