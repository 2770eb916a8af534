import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  node,
  python,
  type LogRecord,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { waitUntil } from '../support/wait-until.js';

const MB = 2 ** 20;
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

type Codec = 'json' | 'msgpack';

function pythonAdapter(codec: Codec, zygote = false): PoolOptions['adapter'] {
  const path = [inject('pythonPackages')];
  return python({ module: fixture('arena/commands.py'), codec, path: codec === 'msgpack' ? path : [], zygote });
}

const nodeAdapter = (codec: Codec): PoolOptions['adapter'] => node({ module: fixture('contract/commands.js'), codec });

interface Running {
  readonly snakepit: Snakepit;
  readonly pool: PoolService;
  readonly logs: LogRecord[];
}

async function start(options: PoolOptions): Promise<Running> {
  const logs: LogRecord[] = [];
  const snakepit = await createSnakepit({ size: 1, ...options }, { log: (record) => logs.push(record) });
  return { snakepit, pool: snakepit.pool(), logs };
}

function using(options: () => PoolOptions): () => Running {
  let running: Running | undefined;
  beforeAll(async () => {
    running = await start(options());
  });
  afterAll(() => running?.snakepit.close());
  return () => running!;
}

function pattern(bytes: number, seed = 1): Buffer {
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + (index >> 8) * seed) & 0xff));
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;
const mappings = (): number => readFileSync('/proc/self/maps', 'utf8').split('memfd:snakepit').length - 1;

const TYPED: readonly ArrayBufferView[] = [
  Int8Array.of(-1, 2),
  Uint8ClampedArray.of(1, 255),
  Int16Array.of(-300, 2),
  Uint16Array.of(65_535),
  Int32Array.of(-70_000, 2),
  Uint32Array.of(2 ** 32 - 1),
  BigInt64Array.of(-(2n ** 63n), 1n),
  BigUint64Array.of(2n ** 64n - 1n),
  Float32Array.of(0.5, -0),
  Float64Array.of(Math.PI, Number.NaN, -0),
  new DataView(Uint8Array.of(1, 2, 3).buffer),
];

/** The same elements, again and again, until they are too many for a frame. */
function enlarged(view: ArrayBufferView): ArrayBufferView {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const many = new Uint8Array(bytes.length * 100_000);
  for (let at = 0; at < many.length; at += bytes.length) many.set(bytes, at);
  const View = view.constructor as new (buffer: ArrayBuffer) => ArrayBufferView;
  return new View(many.buffer);
}

function expectSame(answer: ArrayBufferView, sent: ArrayBufferView): void {
  expect(answer.constructor).toBe(sent.constructor);
  expect(Buffer.compare(rawBytes(answer), rawBytes(sent))).toBe(0);
}

function rawBytes(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}

const WORKERS = [
  { name: 'python, msgpack', adapter: () => pythonAdapter('msgpack'), mapped: true },
  { name: 'python, msgpack, unmapped', adapter: () => pythonAdapter('msgpack'), mapped: false },
  { name: 'python, json', adapter: () => pythonAdapter('json'), mapped: true },
  { name: 'node, msgpack', adapter: () => nodeAdapter('msgpack'), mapped: true },
  { name: 'node, json', adapter: () => nodeAdapter('json'), mapped: false },
  ...(process.platform === 'linux'
    ? [{ name: 'python from a zygote', adapter: () => pythonAdapter('msgpack', true), mapped: true }]
    : []),
];

describe.each(WORKERS)('large binary to $name', ({ adapter, mapped }) => {
  const running = using(() => ({ adapter: adapter(), arena: { mapped } }));

  it.each([1, 16])('comes back unchanged (%i MB)', async (megabytes) => {
    const value = pattern(megabytes * MB);
    for (let round = 0; round < 3; round += 1) {
      expect(value.equals(await running().pool.execute<Buffer>('same', [value]))).toBe(true);
    }
  });

  it('comes back within lists and maps', async () => {
    const [one, two] = [pattern(MB), pattern(2 * MB, 3)];
    const value = { list: [one, pattern(10), { deep: two }], n: 1 };
    const answer = await running().pool.execute<typeof value>('same', [value]);
    expect(one.equals(answer.list[0] as Buffer)).toBe(true);
    expect(two.equals((answer.list[2] as { deep: Buffer }).deep)).toBe(true);
    expect([answer.list[1], answer.n]).toEqual([pattern(10), 1]);
  });

  it('does not get mixed up between calls at once', async () => {
    const values = Array.from({ length: 24 }, (_, index) => pattern(MB + index, index));
    const answers = await Promise.all(values.map((value) => running().pool.execute<Buffer>('same', [value])));
    answers.forEach((answer, index) => expect(values[index]!.equals(answer)).toBe(true));
  });

  it.each(TYPED.map((view) => [view.constructor.name, view] as const))('keeps the type of a %s', async (_, view) => {
    expectSame(await running().pool.execute('same', [view]), view);
    const large = enlarged(view);
    expectSame(await running().pool.execute('same', [large]), large);
  });

  it('is refused above maxFrameBytes, and the pool goes on', async () => {
    const error = await failureOf(running().pool.execute('same', [new Uint8Array(65 * MB)]));
    expect(error).toMatchObject({ code: 'FRAME_TOO_LARGE', delivery: 'not-started' });
    expect(error.message).toMatch(/maxFrameBytes/);
    const parts = Array.from({ length: 3 }, () => new Uint8Array(30 * MB));
    expect(await failureOf(running().pool.execute('same', [parts]))).toMatchObject({ code: 'FRAME_TOO_LARGE' });
    expect(await running().pool.execute('same', [1])).toBe(1);
  });

  it('goes through the socket when the arena has no room, with one warning', async () => {
    const { pool, snakepit, logs } = await start({ adapter: adapter(), arena: { mapped, bytes: 2 * MB } });
    const value = pattern(3 * MB);
    for (let round = 0; round < 3; round += 1) {
      expect(value.equals(await pool.execute<Buffer>('same', [value]))).toBe(true);
    }
    const small = pattern(MB);
    expect(small.equals(await pool.execute<Buffer>('same', [small]))).toBe(true);
    // One for each direction.
    const warnings = (): number => logs.filter(({ message }) => message.includes('arena is full')).length;
    await waitUntil('both sides warned', () => warnings() >= 2);
    expect(warnings()).toBe(2);
    await snakepit.close();
  });

  it('goes through the socket when the arena is switched off', async () => {
    const { pool, snakepit } = await start({ adapter: adapter(), arena: { enabled: false } });
    const value = pattern(3 * MB);
    expect(value.equals(await pool.execute<Buffer>('same', [value]))).toBe(true);
    await snakepit.close();
  });
});

describe('large binary to python', () => {
  const running = using(() => ({ adapter: pythonAdapter('msgpack') }));

  it('is bytes whatever its size, and a view for parameters that ask for one', async () => {
    const { pool } = running();
    for (const value of [pattern(10), pattern(MB)]) {
      expect(await pool.execute('type_of', [value])).toEqual(['bytes', null]);
      expect(await pool.execute('view_types', { view: value, other: value })).toEqual(['memoryview', true, 'bytes']);
      expect(await pool.execute('view_types', [value, value])).toEqual(['memoryview', true, 'bytes']);
    }
    expect(await pool.execute('type_of', [new Float64Array(2)])).toEqual(['memoryview', 'd']);
    expect(await pool.execute('type_of', [new Float64Array(MB)])).toEqual(['memoryview', 'd']);
  });

  it('can be returned, whole or in part, as it came', async () => {
    const value = pattern(2 * MB);
    expect(value.equals(await running().pool.execute<Buffer>('same_view', [value]))).toBe(true);
    const middle = await running().pool.execute<Buffer>('middle', [value]);
    expect(value.subarray(1000, -1000).equals(middle)).toBe(true);
  });

  it('can be made in memory that the worker allocates', async () => {
    const { pool } = running();
    for (let round = 0; round < 40; round += 1) {
      const made = await pool.execute<Buffer>('filled', { count: 16 * MB, byte: round });
      expect(made.length).toBe(16 * MB);
      expect(made[0]).toBe(round);
      expect(made.at(-1)).toBe(round);
    }
    const { part } = await pool.execute<{ part: Float64Array }>('filled_part', { count: 4 * MB, byte: 0 });
    expect(part).toEqual(new Float64Array((2 * MB) / 8));
    for (let round = 0; round < 40; round += 1) await pool.execute('wasted', { count: 16 * MB });
    expect(await pool.execute('filled', { count: 10, byte: 1 })).toEqual(Buffer.alloc(10, 1));
    expect(running().logs).toEqual([]);
  });

  it('leaves room behind results that cannot be sent', async () => {
    for (let round = 0; round < 40; round += 1) {
      const error = await failureOf(running().pool.execute('unsendable', { size: 16 * MB }));
      expect(error).toMatchObject({ code: 'INVALID_RESULT' });
    }
    expect(running().logs).toEqual([]);
  });

  it('streams far more than the arena holds', async () => {
    const received: Buffer[] = await lastValueFrom(
      running().pool.stream<Buffer>('chunks', { count: 600, size: MB }).pipe(toArray()),
    );
    expect(received).toHaveLength(600);
    received.forEach((chunk, index) =>
      expect([chunk.length, chunk[0], chunk.at(-1)]).toEqual([MB, index % 256, index % 256]),
    );
    expect(running().logs).toEqual([]);
  });

  it('streams parts of an argument', async () => {
    const value = pattern(8 * MB);
    const parts = await lastValueFrom(running().pool.stream<Buffer>('parts', { value, size: MB }).pipe(toArray()));
    expect(Buffer.concat(parts).equals(value)).toBe(true);
  });

  it('stays what it was for asynchronous commands side by side', async () => {
    const calls = [5, 6, 7].map((byte) =>
      running().pool.execute<Buffer>('later', { value: Buffer.alloc(MB, byte), seconds: 0.05 }),
    );
    const answers = await Promise.all(calls);
    expect(answers.map((answer) => [answer.length, answer[7]])).toEqual([5, 6, 7].map((byte) => [MB, byte]));
  });

  it('arrives from array.array as the matching typed array', async () => {
    const { pool } = running();
    expect(await pool.execute('array_of', ['d', 3])).toEqual(Float64Array.of(0, 1, 2));
    expect(await pool.execute('array_of', ['h', 3])).toEqual(Int16Array.of(0, 1, 2));
    expect(await pool.execute('array_of', ['Q', 200_000])).toEqual(
      BigUint64Array.from({ length: 200_000 }, (_, i) => BigInt(i)),
    );
    expect(await pool.execute('array_of', ['B', 3])).toEqual(Buffer.from([0, 1, 2]));
  });

  it('is seen and made by numpy without a copy', async () => {
    const { pool } = running();
    const numbers = Float64Array.from({ length: 200_000 }, (_, index) => index);
    const sum = (199_999 * 200_000) / 2;
    expect(await pool.execute('numpy_view', { value: numbers })).toEqual({ sum, copied: false });
    const filled = await pool.execute<Float64Array>('numpy_filled', { count: 200_000 });
    expectSame(filled, numbers);
    expect(running().logs).toEqual([]);
  });

  it.each([
    ['int32', Int32Array.of(0, 1, 2, 3)],
    ['uint8', Buffer.from([0, 1, 2, 3])],
    ['int64', BigInt64Array.of(0n, 1n, 2n, 3n)],
    ['float32', Float32Array.of(0, 1, 2, 3)],
    ['bool', [false, true, true, true]],
    ['>i4', [0, 1, 2, 3]],
  ])('arrives from numpy (%s) as the matching typed array, or as a list', async (dtype, expected) => {
    expect(await running().pool.execute('numpy_list', [dtype])).toEqual(expected);
  });

  it('stays leased to a cancelled call until that has ended', async () => {
    const { pool } = running();
    const folder = await mkdtemp(join(tmpdir(), 'snakepit-arena-'));
    const path = join(folder, 'running');
    const controller = new AbortController();
    const args = { value: Buffer.alloc(MB, 1), path, seconds: 0.3 };
    const cancelled = failureOf(pool.execute('slowly', args, { signal: controller.signal }));
    await waitUntil('the command runs', () => existsSync(path));
    controller.abort();
    expect(await cancelled).toMatchObject({ code: 'CANCELLED' });
    // These would overwrite it if its slice were free.
    const others = Array.from({ length: 4 }, (_, index) => pool.execute<Buffer>('same', [Buffer.alloc(MB, index + 2)]));
    expect((await Promise.all(others)).map((answer) => answer[9])).toEqual([2, 3, 4, 5]);
    await rm(folder, { recursive: true });
  });
});

describe('an arena', () => {
  it.each([
    { are: 'spawned', zygote: false, mapped: true },
    { are: 'spawned, unmapped,', zygote: false, mapped: false },
    { are: 'forked', zygote: true, mapped: true },
  ])('leaves nothing open or behind when $are workers die with slices in their hands', async ({ zygote, mapped }) => {
    const before = [openFiles(), mappings()];
    const { pool, snakepit } = await start({ adapter: pythonAdapter('msgpack', zygote), size: 2, arena: { mapped } });
    for (let round = 0; round < 3; round += 1) {
      const error = await failureOf(pool.execute('die', [pattern(4 * MB)]));
      expect(error).toMatchObject({ code: 'WORKER_EXITED' });
    }
    await pool.ready();
    expect(await pool.execute('total', [Buffer.alloc(MB, 1)])).toBe(MB);
    await snakepit.close();
    expect([openFiles(), mappings()]).toEqual(before);
    // Another process's file has a name for an instant.
    const names = (): string[] => readdirSync('/dev/shm').filter((name) => name.startsWith('snakepit-'));
    await waitUntil('no file has a name', () => names().length === 0);
  });

  it.runIf(process.platform === 'linux')('of its own carries what goes to and from a forked worker', async () => {
    const { pool, snakepit } = await start({ adapter: pythonAdapter('msgpack', true), size: 2 });
    const value = pattern(16 * MB);
    expect(value.equals(await pool.execute<Buffer>('same', [value]))).toBe(true);
    const arenas = pool.workers().map(({ pid }) => statSync(`/proc/${pid}/fd/4`));
    expect(arenas[0]!.ino).not.toBe(arenas[1]!.ino);
    // What it was never used for takes no memory.
    const usedBytes = arenas.map(({ blocks }) => blocks * 512).toSorted((a, b) => a - b);
    expect(usedBytes[0]).toBe(0);
    expect(usedBytes[1]).toBeGreaterThanOrEqual(2 * value.length);
    await snakepit.close();
  });

  it.each([
    ['out of bounds', { offset: 2 ** 40, length: 10 }],
    ['in the memory of the host that no call was given', { offset: 0, length: 10 }],
    ['of too great a length', { offset: 300 * MB, length: 300 * MB }],
  ])('costs a worker its life that refers to bytes %s', async (_, args) => {
    const { pool, snakepit } = await start({ adapter: pythonAdapter('msgpack') });
    const error = await failureOf(pool.execute('refer', args));
    expect(error).toMatchObject({ code: 'PROTOCOL_ERROR' });
    await pool.ready();
    expect(await pool.execute('same', [1])).toBe(1);
    await snakepit.close();
  });

  it('cannot be shortened by a worker while the host has it mapped', async () => {
    const { pool, snakepit } = await start({ adapter: pythonAdapter('msgpack') });
    expect(await failureOf(pool.execute('shorten', []))).toMatchObject({ details: { type: 'PermissionError' } });
    const value = pattern(2 * MB);
    expect(value.equals(await pool.execute<Buffer>('same', [value]))).toBe(true);
    expect(mappings()).toBeGreaterThan(0);
    await snakepit.close();
    expect(mappings()).toBe(0);
  });

  it('costs a worker its life that shortens it, where it is not mapped', async () => {
    const { pool, snakepit } = await start({ adapter: pythonAdapter('msgpack'), arena: { mapped: false } });
    await pool.execute('shorten', []);
    const error = await failureOf(pool.execute('refer', { offset: 300 * MB, length: 10 }));
    expect(error).toMatchObject({ code: 'PROTOCOL_ERROR' });
    await snakepit.close();
  });
});
