import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  go,
  type GoOptions,
  type LogRecord,
  type PoolOptions,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { lastValueFrom, take, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startHost } from '../support/host-script.js';
import { failureOf } from '../support/outcomes.js';
import { pidIsAlive, sendSignal, untilGone } from '../support/processes.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const WORKER = pathOf('fixtures/go/worker');
const BRIDGE = pathOf('../bridges/go');
const BUILD_MS = 120_000;

const base = mkdtempSync(join(tmpdir(), 'snakepit-go-'));
const builds = join(base, 'builds');
const opened = new Set<Snakepit>();

afterAll(() => rmSync(base, { recursive: true, force: true }));

const closeAll = async (): Promise<void> => {
  await Promise.all([...opened].map((each) => each.close()));
  opened.clear();
};

async function start(adapter: Partial<GoOptions> = {}, options: Partial<PoolOptions> = {}, logs: LogRecord[] = []) {
  const program = 'binary' in adapter ? {} : { package: WORKER };
  const snakepit = await createSnakepit(
    { adapter: go({ ...program, builds, ...adapter }), size: 1, ...options },
    { log: (record) => logs.push(record) },
  );
  opened.add(snakepit);
  return { snakepit, pool: snakepit.pool(), logs };
}

/** A package of its own for a test to change. */
function packageOf(name: string, files: Readonly<Record<string, string>> = {}): string {
  const folder = join(base, name);
  cpSync(WORKER, folder, { recursive: true });
  const mod = readFileSync(join(folder, 'go.mod'), 'utf8').replace('../../../../bridges/go', BRIDGE);
  writeFileSync(join(folder, 'go.mod'), mod);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

const mainOf = (body: string): string =>
  `package main\n\nimport (\n\t"context"\n\n\t"nestjs-snakepit/snakepit"\n)\n\ntype none struct{}\n\nfunc main() {\n\tw := snakepit.New()\n${body}\n\tw.Run()\n}\n`;

describe.each(['msgpack', 'json'] as const)('a Go worker over v2 with %s', (codec) => {
  let running: Awaited<ReturnType<typeof start>>;
  const logs: LogRecord[] = [];
  beforeAll(async () => {
    // The host would refuse by the worker's schemas what the worker is to refuse here.
    running = await start({ codec }, { concurrency: 200, window: 200, validate: 'none' }, logs);
    running.snakepit.tools.register('price.of', ({ sku }: { sku: string }) => ({ amount: sku.length + 0.5 }));
  }, BUILD_MS);
  afterAll(closeAll);

  it('takes arguments by name and by position, into structs with optional fields', async () => {
    const { pool } = running;
    expect(await pool.execute('add', { a: 1, b: 41 })).toBe(42);
    expect(await pool.execute('add', [40, 2])).toBe(42);
    expect(await pool.execute('order', { sku: 'x', count: 2, size: 'small' })).toEqual({
      sku: 'x',
      count: 2,
      size: 'small',
      discount: null,
    });
    expect(await pool.execute('mean', [1, 2, 4.5])).toBe(2.5);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['a field is missing', { a: 1 }, 'args.b', /args\.b: it is missing/],
    ['a field is unknown', { a: 1, b: 2, c: 3 }, 'args.c', /args\.c: it is unknown; taken are a, b/],
    ['a field has another type', { a: 1, b: 'two' }, 'args.b', /args\.b: an integer is expected, not a string/],
    ['a number has a fraction', { a: 1, b: 2.5 }, 'args.b', /an integer is expected, not the number 2\.5/],
    ['there are too many', [1, 2, 3], 'args[2]', /3 arguments for 2 parameters \(a, b\)/],
  ])('refuses arguments where %s, naming it', async (_, args, path, message) => {
    const error = await failureOf(running.pool.execute('add', args));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    expect(error.message).toMatch(message);
    expect(error.details['path']).toBe(path);
  });

  it('refuses a value that no enum has, and lets a command refuse by itself', async () => {
    const { pool } = running;
    await expect(pool.execute('order', { sku: 'x', count: 1, size: 'huge' })).rejects.toThrow(
      /args\.size: huge is none of small, large/,
    );
    const own = await failureOf(pool.execute('refuse'));
    expect(own).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    expect(own.message).toContain('args.month: it is in the future');
  });

  it('keeps values as they are: binary of 4 MB, times, large integers, typed arrays', async () => {
    const { pool } = running;
    const data = Buffer.alloc(
      4 << 20,
      Uint8Array.from({ length: 251 }, (_, i) => i),
    );
    const returned = await pool.execute<Uint8Array>('same', { value: data });
    expect(Buffer.compare(Buffer.from(returned), data)).toBe(0);
    const at = new Date('2026-01-31T12:00:00.123Z');
    expect(await pool.execute('same', { value: [at, 2n ** 64n - 1n, -0.5, null, { $x: 1 }] })).toEqual([
      at,
      2n ** 64n - 1n,
      -0.5,
      null,
      { $x: 1 },
    ]);
    expect(await pool.execute('later', { at })).toEqual(new Date(at.getTime() + 3_600_000));
    expect(await pool.execute('doubled', { numbers: Float32Array.of(1.5, -2) })).toEqual(Float32Array.of(3, -4));
    expect(await pool.execute('doubled', { numbers: [1, 2.5] })).toEqual(Float32Array.of(2, 5));
  });

  it('runs a hundred sleeping calls, and calls that wait for each other, at once in one worker', async () => {
    const { pool } = running;
    // One after the other they would take 50 s, more than this test may.
    const dozing = Array.from({ length: 100 }, () => pool.execute('doze', { ms: 500 }));
    expect(await Promise.all(dozing)).toEqual(Array.from({ length: 100 }, () => 500));
    expect(await Promise.all([pool.execute('meet'), pool.execute('meet')])).toEqual([true, true]);
  });

  it('tells what a command returned as its error: type, message, data and where', async () => {
    const { pool } = running;
    const error = await failureOf(pool.execute('month', { month: 13 }));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran' });
    expect(error.remote).toMatchObject({ type: 'main.monthError', data: { month: 13 } });
    expect(error.message).toContain('there is no month 13');
    expect(String(error.remote?.traceback)).toMatch(/in command "month": main\.addFailures\.func1\n\t.*main\.go:\d+/);
    const own = await failureOf(pool.execute('explain'));
    expect(own.remote).toMatchObject({ type: 'NoRows', data: { table: 'orders' } });
    expect(own.message).toContain('no rows: file does not exist');
    expect(String(own.remote?.traceback)).toMatch(/main\.deeper\(…\)\n\t.*main\.go:\d+\nmain\.addFailures/);
  });

  it('survives a panic, and tells its stack', async () => {
    const { pool } = running;
    const [before] = pool.workers();
    const error = await failureOf(pool.execute('panic', { at: 7 }));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR' });
    expect(error.message).toContain('index out of range [7] with length 3');
    expect(String(error.remote?.traceback)).toMatch(/panic: [^]*main\.addFailures\.func3\(…\)\n\t.*main\.go:\d+/);
    expect(await pool.execute('panic', { at: 1 })).toBe(2);
    expect(pool.workers()[0]!.pid).toBe(before!.pid);
    await expect(pool.execute('unencodable')).rejects.toMatchObject({
      code: 'INVALID_RESULT',
      message: expect.stringMatching(/result\.rows\[1\]: a func\(\) cannot be sent/),
    });
  });

  it('streams within its credit, and stops when the subscriber leaves', async () => {
    const { pool } = running;
    const all = await lastValueFrom(pool.stream<number>('count', { to: 1_000 }).pipe(toArray()));
    expect(all).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    const path = join(base, `ended-${codec}`);
    expect(await lastValueFrom(pool.stream('endless', { path }).pipe(take(3), toArray()))).toEqual([0, 1, 2]);
    await waitUntil('the end of the stream', () => existsSync(path) && readFileSync(path, 'utf8') !== '');
    expect(readFileSync(path, 'utf8')).toBe('context canceled');
  });

  it('is cancelled by a signal, and by its deadline', async () => {
    const { pool } = running;
    const leaving = new AbortController();
    const left = failureOf(pool.execute('doze', { ms: 60_000 }, { signal: leaving.signal }));
    await waitUntil('the call', () => pool.stats().inFlight > 0);
    leaving.abort();
    expect(await left).toMatchObject({ code: 'CANCELLED' });
    expect(await failureOf(pool.execute('doze', { ms: 60_000 }, { timeoutMs: 100 }))).toMatchObject({
      code: 'CALL_TIMEOUT',
    });
    const rest = await pool.execute<number>('left_ms', undefined, { timeoutMs: 5_000 });
    expect(rest).toBeGreaterThan(0);
    expect(rest).toBeLessThanOrEqual(5_000);
    await waitUntil('both to be over in the worker', () => pool.stats().inFlight === 0);
  });

  it('keeps data in a session, and calls tools of the host', async () => {
    const { pool, snakepit } = running;
    const { id } = await snakepit.sessions.create();
    const visits = await Promise.all([1, 2, 3].map(() => pool.executeInSession<number>(id, 'visit')));
    expect(visits.toSorted()).toEqual([1, 2, 3]);
    expect(await pool.execute('price', { sku: 'abc' })).toBe(3.5);
  });

  it('logs what is printed, and what log/slog is told, with call and fields', async () => {
    const { pool } = running;
    const progress: unknown[] = [];
    await pool.execute('say', { text: `hello ${codec}` }, { onProgress: (value) => progress.push(value) });
    expect(progress).toEqual([{ done: 1 }]);
    const printed = await waitUntil('the line', () => logs.find(({ message }) => message === `hello ${codec}`));
    expect(printed.worker).toBe('default-1');
    expect(await waitUntil('the record', () => logs.find(({ message }) => message === 'said it'))).toMatchObject({
      level: 'info',
      logger: 'say',
      fields: { text: `hello ${codec}`, err: 'file already exists' },
    });
    expect(logs.find(({ message }) => message === 'in detail')).toMatchObject({
      level: 'debug',
      fields: { part: 'b', 'g.rows': 3 },
    });
  });

  it('describes its arguments in JSON Schema', () => {
    const described = running.pool.commands?.find(({ name }) => name === 'order');
    expect(described).toMatchObject({
      kind: 'call',
      schema: {
        type: 'object',
        properties: {
          sku: { type: 'string', description: 'What is ordered.' },
          count: { type: 'integer' },
          size: { type: 'string', enum: ['small', 'large'] },
          discount: { type: ['number', 'null'] },
        },
        required: ['sku', 'count'],
        additionalProperties: false,
      },
    });
    expect(running.pool.commands?.find(({ name }) => name === 'add')?.doc).toBe('Adds two integers.');
  });
});

describe('the contracts of a Go worker', () => {
  afterEach(closeAll);

  it('let the host refuse arguments before they are sent, and are kept by what commands return', async () => {
    const { pool } = await start({}, { validate: 'all' });
    const error = await failureOf(pool.execute('order', { sku: 'x', count: 1, size: 'huge' }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', details: { path: 'args.size' } });
    expect(error.remote).toBeUndefined();
    const at = new Date(0);
    expect(await pool.execute('add', [40, 2])).toBe(42);
    expect(await pool.execute('order', { sku: 'x', count: 1, discount: 0.5, tags: ['a'] })).toMatchObject({
      tags: ['a'],
    });
    expect(await pool.execute('later', { at })).toEqual(new Date(3_600_000));
    expect(await pool.execute('later', { at: at.toISOString() })).toEqual(new Date(3_600_000));
    expect(await pool.execute('mean', Float64Array.of(1, 2))).toBe(1.5);
    expect(await pool.execute('doubled', { numbers: Float32Array.of(1) })).toEqual(Float32Array.of(2));
    expect(await pool.execute('left_ms', undefined, { timeoutMs: 9_000 })).toBeGreaterThan(0);
    expect(await lastValueFrom(pool.stream('count', { to: 2 }).pipe(toArray()))).toEqual([0, 1]);
  });
});

describe('the process of a Go worker', () => {
  afterEach(closeAll);

  it('is replaced when it is killed, and what it ends by is told', async () => {
    const { pool } = await start();
    const before = await pool.execute<{ pid: number }>('process');
    const lost = failureOf(pool.execute('doze', { ms: 60_000 }));
    await waitUntil('the call', () => pool.stats().inFlight > 0);
    sendSignal(before.pid, 'SIGKILL');
    expect(await lost).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    const after = await pool.execute<{ pid: number }>('process');
    expect(after.pid).not.toBe(before.pid);
    const exited = await failureOf(pool.execute('exit', { status: 3 }));
    expect(exited).toMatchObject({ code: 'WORKER_EXITED', message: expect.stringContaining('status 3') });
  });

  it('is told in stacks where a call hangs', async () => {
    const { pool } = await start({}, { cancelGraceMs: 100 });
    const error = await failureOf(pool.execute('block', { ms: 60_000 }, { timeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(String(error.details['workerStacks'])).toMatch(/^Thread 0x[^]*time\.Sleep[^]*main\.addTime\.func3/);
  });

  it('leaves nobody behind when its pool closes or its host is killed', async () => {
    const { pool, snakepit } = await start();
    const pids = [(await pool.execute<{ pid: number }>('process')).pid, await pool.execute<number>('grandchild')];
    expect(pids.every(pidIsAlive)).toBe(true);
    await snakepit.close();
    await untilGone(pids);

    const host = startHost(pathOf('fixtures/go/host.mjs'), [WORKER, builds]);
    const orphans = await host.next<number[]>();
    expect(orphans.every(pidIsAlive)).toBe(true);
    host.child.kill('SIGKILL');
    await untilGone(orphans);
  });

  it.runIf(process.platform === 'linux')('gives the socket of its host to no program that it starts', async () => {
    const { pool } = await start();
    const grandchild = await pool.execute<number>('grandchild');
    const { pid } = await pool.execute<{ pid: number }>('process');
    const filesOf = (id: number): string[] =>
      readdirSync(`/proc/${id}/fd`)
        .filter((fd) => Number(fd) > 2)
        .map((fd) => readlinkSync(`/proc/${id}/fd/${fd}`));
    const channel = readlinkSync(`/proc/${pid}/fd/3`);
    expect(channel).toMatch(/^socket:/);
    expect(filesOf(grandchild)).not.toContain(channel);
  });
});

describe('the build of a Go package', () => {
  afterEach(closeAll);
  const told = (logs: readonly LogRecord[]): string[] =>
    logs.filter(({ logger }) => logger === 'go build').map(({ message }) => message);

  it(
    'is made once for those who start together, found again later, and made anew by a reload after a change',
    async () => {
      const folder = packageOf('rebuilt');
      const own = { package: folder, builds: join(base, 'builds of one') };
      const together = await Promise.all([start(own), start(own), start(own)]);
      const messages = together.flatMap(({ logs }) => told(logs));
      expect(messages.filter((text) => text.startsWith('building the Go package'))).toHaveLength(1);
      expect(messages.filter((text) => text.endsWith('is being built elsewhere; waiting for it'))).toHaveLength(2);

      const { pool, logs } = await start(own);
      expect(told(logs)).toEqual([]);
      const before = await pool.execute<{ version: number; executable: string }>('process');
      expect(before.version).toBe(1);
      const main = join(folder, 'main.go');
      writeFileSync(main, readFileSync(main, 'utf8').replace('var version = 1', 'var version = 2'));
      await pool.reload();
      const after = await pool.execute<{ version: number; executable: string }>('process');
      expect(after.version).toBe(2);
      expect(after.executable).not.toBe(before.executable);

      writeFileSync(main, `${readFileSync(main, 'utf8')}\nvar broken int = "text"\n`);
      await expect(pool.reload()).rejects.toMatchObject({ code: 'BUILD_FAILED' });
      expect(await pool.execute('process')).toMatchObject({ version: 2 });
    },
    BUILD_MS,
  );

  it(
    'takes arguments of go build, and a worker that was built before',
    async () => {
      const tagged = `//go:build tagged\n\npackage main\n\nfunc init() { version = 7 }\n`;
      const folder = packageOf('tagged', { 'tagged.go': tagged });
      const { pool } = await start({ package: folder, buildArgs: ['-tags=tagged'] });
      const { version, executable } = await pool.execute<{ version: number; executable: string }>('process');
      expect(version).toBe(7);
      const { pool: other } = await start({ binary: executable });
      expect(await other.execute('process')).toMatchObject({ version: 7, executable });
    },
    BUILD_MS,
  );

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    [
      'does not compile',
      { 'more.go': 'package main\n\nvar total int = "x"\n' },
      /go build ended with status 1[^]*more\.go:3:17: .*"x"/,
    ],
    ['cannot be parsed', { 'more.go': 'package main\n\nfunc {\n' }, /more\.go:3:6/],
    ['is no program', { 'main.go': 'package library\n' }, /it is package library, no program/],
    [
      'does not know the SDK',
      { 'go.mod': 'module worker\n\ngo 1.21\n' },
      /nestjs-snakepit\/snakepit[^]*go mod edit -require=nestjs-snakepit\/snakepit@v0\.0\.0 -replace=nestjs-snakepit\/snakepit=\/.*bridges\/go/,
    ],
  ])(
    'fails for a package that %s, naming the place',
    async (what, files, message) => {
      const folder = packageOf(`broken ${what}`, files);
      const error = await failureOf(start({ package: folder }));
      expect(error).toMatchObject({ code: 'BUILD_FAILED', retryable: false });
      expect(error.message).toMatch(message);
      expect(error.message).toContain(folder);
    },
    BUILD_MS,
  );

  it('says what is wrong with a toolchain that is missing, too old or broken', async () => {
    const script = (name: string, body: string): string => {
      const path = join(base, name);
      writeFileSync(path, `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
      return path;
    };
    const failure = (toolchain: string) => failureOf(start({ toolchain }));
    const missing = await failure('no-such-go');
    expect(missing).toMatchObject({ code: 'INTERPRETER_NOT_FOUND' });
    expect(missing.message).toMatch(
      /No Go toolchain found \(tried no-such-go\)\. Install it \(https:\/\/go\.dev\/dl\) or name one with the adapter's 'toolchain' option\./,
    );
    expect((await failure(script('old-go', `echo '{"GOVERSION": "go1.19.8"}'`))).message).toMatch(
      /it is Go 1\.19\.8, and 1\.21 or newer is needed/,
    );
    expect((await failure(script('broken-go', 'echo no libc >&2; exit 127'))).message).toMatch(/status 127[^]*no libc/);
  });
});

describe('a Go program that is no worker', () => {
  afterEach(closeAll);

  it.each<[string, Partial<GoOptions>, RegExp]>([
    ['nothing', {}, /'go\.package' \(a folder to build\) or 'go\.binary' \(a program\) is missing/],
    ['both', { package: WORKER, binary: 'x' }, /exclude each other/],
  ])('is refused when %s is named', (_, given, message) => {
    expect(() => go(given)).toThrow(message);
  });

  it('is refused where it is missing, a file in place of a folder, not executable, or no program at all', async () => {
    const text = join(base, 'text');
    writeFileSync(text, 'no program');
    await expect(start({ binary: join(base, 'nowhere') })).rejects.toThrow(
      /'go\.binary' names .*nowhere, which is no file/,
    );
    await expect(start({ binary: text })).rejects.toThrow(/which may not be executed\. Build it by 'go build -o/);
    chmodSync(text, 0o755);
    await expect(start({ binary: text })).rejects.toMatchObject({ code: 'WORKER_START_FAILED' });
    await expect(start({ package: join(WORKER, 'main.go') })).rejects.toThrow(/is a file; name the folder/);
    await expect(start({ package: join(base, 'nowhere') })).rejects.toThrow(/which is no folder/);
  });

  it(
    'does not start with two commands of one name, with none, or after a start hook that fails, and says where',
    async () => {
      const add = `snakepit.Command(w, "add", func(context.Context, none) (int, error) { return 1, nil })`;
      const failure = async (name: string, body: string) => {
        const main = name === 'none' ? mainOf('\t_ = context.Background') : mainOf(body);
        return failureOf(start({ package: packageOf(name, { 'main.go': main }) }));
      };
      const twice = await failure('twice', `\t${add}\n\t${add}`);
      expect(twice).toMatchObject({ code: 'WORKER_START_FAILED' });
      expect(twice.message).toMatch(/two commands named "add": \/.*main\.go:13 and \/.*main\.go:14; rename one/);
      expect((await failure('none', '')).message).toContain('the worker has no command');
      const hook = `\t${add}\n\tw.OnStart(func(context.Context) error { return snakepit.Errorf("no model") })`;
      expect((await failure('hook', hook)).message).toContain('no model');
    },
    BUILD_MS,
  );
});
