import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { createSnakepit, r, subscribe, type LogRecord, type ROptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { isAlive, processesOf } from '../chaos/support/processes.mjs';
import { startHost } from '../support/host-script.js';
import { failureOf, itemsOf } from '../support/outcomes.js';
import { sendSignal, untilGone } from '../support/processes.js';
import { waitUntil } from '../support/wait-until.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/integration/${name}`, import.meta.url));
const SCRIPT = fixture('statistics.R');

describe('a pool of R workers', () => {
  const logs: LogRecord[] = [];
  let snakepit: Snakepit;
  const pool = () => snakepit.pool();
  const untilWhole = () => waitUntil('a whole pool', () => pool().stats().available === 2);

  beforeAll(async () => {
    const adapter = r({ module: SCRIPT });
    const restart = { initialDelayMs: 1, maxDelayMs: 10, budget: 100 };
    snakepit = await createSnakepit(
      {
        adapter,
        size: 2,
        streamCredit: 8,
        cancelGraceMs: 5_000,
        killGraceMs: 200,
        restart,
        heartbeatIntervalMs: 200,
        heartbeatTimeoutMs: 400,
      },
      { log: (record) => logs.push(record) },
    );
  });
  afterEach(untilWhole);
  afterAll(() => snakepit.close());

  it('fits a line, and names what it found', async () => {
    const x = [1, 2, 3, 4, 5];
    const fit = await pool().execute<Record<string, unknown>>('fit_line', { x, y: x.map((value) => 2 * value + 0.5) });
    const {
      coefficients,
      r_squared: rSquared,
      residuals,
    } = fit as {
      coefficients: Record<string, number>;
      r_squared: number;
      residuals: number[];
    };
    expect(coefficients['(Intercept)']).toBeCloseTo(0.5);
    expect(coefficients['x']).toBeCloseTo(2);
    expect(rSquared).toBeCloseTo(1);
    expect(residuals).toHaveLength(5);
  });

  it('takes rows as a data frame, and gives one as rows', async () => {
    const rows = [
      { region: 'north', amount: 2 },
      { region: 'south', amount: 5 },
      { region: 'north', amount: 1.5 },
    ];
    expect(await pool().execute('describe', { rows })).toEqual([
      { region: 'north', amount: 3.5 },
      { region: 'south', amount: 5 },
    ]);
  });

  it('tells class, message, data and calls of what was raised', async () => {
    const error = await failureOf(pool().execute('season', { month: 13 }));
    expect(error).toMatchObject({
      code: 'REMOTE_ERROR',
      delivery: 'ran',
      remote: { type: 'bad_month', message: 'there is no month 13', data: { month: 13 } },
    });
    expect(error.remote?.traceback).toMatch(
      /season\(month = month\)\n[^]* month_name\(month\)\n  statistics\.R:16: stop\(/,
    );
  });

  it.each([
    ['without one', 'season', {}, /no argument 'month'/],
    ['with one too many', 'season', { month: 1, z: 1 }, /unknown argument 'z'/],
    ['of another type than declared', 'fit_line', { x: [1, 2], y: 'text' }, /\by\b.*array/],
  ])('refuses arguments %s', async (_, command, args, says) => {
    const error = await failureOf(pool().execute(command, args));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    expect(error.message).toMatch(says);
  });

  it('lists its commands, with the schema of declared arguments', () => {
    const { commands } = pool();
    expect(commands?.find(({ name }) => name === 'fit_line')).toMatchObject({
      kind: 'call',
      doc: 'Least squares.',
      schema: { type: 'object', properties: { x: { type: 'array' }, y: { type: 'array' } }, required: ['x', 'y'] },
    });
    expect(commands?.find(({ name }) => name === 'count')?.kind).toBe('stream');
  });

  it('sends messages, warnings and what is printed to the log', async () => {
    expect(await pool().execute('noisy')).toBeNull();
    const found = (message: string) =>
      waitUntil(message, () => logs.find((record) => record.message.includes(message)));
    expect(await found('a note')).toMatchObject({ level: 'info', call: { command: 'noisy' } });
    expect(await found('a doubt')).toMatchObject({ level: 'warn', call: { command: 'noisy' } });
    expect(await found('NAs introduced by coercion')).toMatchObject({ level: 'warn' });
    await found('a line');
  });

  it('streams with back pressure, and closes a stream that is left', async () => {
    expect(await itemsOf(pool().stream('count', { n: 100 }))).toEqual(Array.from({ length: 100 }, (_, index) => index));
    const closed = new Promise<unknown>((resolve) => {
      const leave = subscribe('snakepit:worker-event', ({ name, data }) => {
        if (name === 'stream.closed') resolve(data);
      });
      onTestFinished(leave);
    });
    await new Promise<void>((resolve, reject) => {
      const subscription = pool()
        .stream<number>('count_endlessly')
        .subscribe({
          error: reject,
          next: (value) => {
            if (value < 1_000) return;
            subscription.unsubscribe();
            resolve();
          },
        });
    });
    expect(await closed).toEqual({ by: 'on.exit' });
  });

  it('keeps session data in the host, and calls its tools', async () => {
    snakepit.tools.register('price.of', ({ sku }: { sku: string }) => Promise.resolve(sku.length));
    snakepit.tools.register('broken', () => Promise.reject(new TypeError('no price')));
    await pool().executeInSession('s1', 'remember', { key: 'seen', value: 1 });
    expect(await pool().executeInSession('s1', 'remember', { key: 'seen', value: 2 })).toEqual([1, 2]);
    expect((await snakepit.sessions.get('s1')).metadata).toEqual({ seen: [1, 2] });
    expect(await pool().execute('price', { sku: 'abc' })).toBe(6);
  });

  it('sends messages, metrics and records on behalf of a call', async () => {
    const stop = snakepit.messages.serve(({ pattern, data }) => Promise.resolve({ pattern, data }));
    onTestFinished(stop);
    const rows = 3;
    expect(await pool().execute('measure', { rows })).toEqual({ pattern: 'audit', data: { rows } });
    await waitUntil('the record', () =>
      logs.find(({ message, fields }) => message.includes('counted') && fields?.['rows'] === rows),
    );
  });

  it('stops at a check when the caller leaves, and at the deadline', async () => {
    const leaving = new AbortController();
    const call = pool().execute('wait', null, { signal: leaving.signal, onProgress: () => leaving.abort() });
    expect(await failureOf(call)).toMatchObject({ code: 'CANCELLED' });
    const before = pool().stats().pids;
    expect(await failureOf(pool().execute('wait', null, { timeoutMs: 100 }))).toMatchObject({ code: 'CALL_TIMEOUT' });
    await untilWhole();
    expect(pool().stats().pids).toEqual(before);
  });

  it('ends after its deadline at what it tells the host', async () => {
    const before = pool().stats().pids;
    const call = pool().execute('compute_and_tell', null, { timeoutMs: 200 });
    expect(await failureOf(call)).toMatchObject({ code: 'CALL_TIMEOUT' });
    await untilWhole();
    expect(await pool().execute('reverse', { bytes: Buffer.from('ab') })).toEqual(Buffer.from('ba'));
    expect(pool().stats().pids).toEqual(before);
  });

  it('is not taken for frozen while a command computes', async () => {
    const before = pool().stats().pids;
    expect(await pool().execute('deaf', { seconds: 1.5 })).toBe('slept');
    expect(pool().stats().pids).toEqual(before);
  });

  it('carries binary and typed arrays of any size', async () => {
    expect(await pool().execute('reverse', { bytes: Buffer.from('abc') })).toEqual(Buffer.from('cba'));
    const large = randomBytes(3 * 2 ** 20);
    const reversed = await pool().execute('reverse', { bytes: large });
    const again = await pool().execute<Buffer>('reverse', { bytes: reversed });
    expect(again.equals(large)).toBe(true);
    const numbers = Float64Array.from({ length: 50_000 }, (_, index) => index + 0.5);
    expect(await pool().execute('halve', { numbers })).toEqual(numbers.map((value) => value / 2));
    expect(await pool().execute('halve', { numbers: Int32Array.of(4, 5) })).toEqual(Float64Array.of(2, 2.5));
  });

  it('reads an input while it runs', async () => {
    const input = Readable.from([Buffer.alloc(300_000, 1), Buffer.alloc(5, 2)]);
    expect(await pool().execute('input_sum', null, { input })).toBe(300_010);
  });

  it('takes several calls at once where a command is batched', async () => {
    const calls = Array.from({ length: 20 }, (_, n) => pool().execute('double', { n }));
    expect(await Promise.all(calls)).toEqual(calls.map((_, n) => 2 * n));
  });

  it('refuses a result that cannot be sent with the path to it, and lives on', async () => {
    const before = pool().stats().pids;
    const error = await failureOf(pool().execute('lm_itself'));
    expect(error.code).toBe('INVALID_RESULT');
    expect(error.message).toMatch(/cannot be sent: result\.\w+/);
    expect(await failureOf(pool().execute('recurse'))).toMatchObject({ code: 'REMOTE_ERROR' });
    expect(pool().stats().pids).toEqual(before);
  });

  it('is replaced when it dies, together with what it has started', async () => {
    const untilReplaced = (before: readonly number[]) =>
      waitUntil('another worker', () => {
        const { available, pids } = pool().stats();
        return available === 2 && !pids.some((pid) => before.includes(pid));
      });
    const error = await failureOf(pool().execute('crash'));
    expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    await untilWhole();
    const child = await pool().execute<number>('start_child');
    const { pids } = pool().stats();
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    await untilGone([child]);
    await untilReplaced(pids);
    expect(await pool().execute('reverse', { bytes: Buffer.from('ab') })).toEqual(Buffer.from('ba'));
  });
});

describe.runIf(process.platform === 'linux')('the folders of R workers', () => {
  interface Folder {
    readonly tempdir: string;
    readonly tmpdir: string | null;
  }

  it('are gone with them, however they end, and what else they start uses that of the host', async () => {
    const snakepit = await createSnakepit({ adapter: r({ module: SCRIPT }), size: 1 }, { log: () => {} });
    onTestFinished(() => snakepit.close());
    const pool = snakepit.pool();
    const killed = await pool.execute<Folder>('folder');
    expect(existsSync(killed.tempdir)).toBe(true);
    expect(killed.tmpdir).toBe(process.env['TMPDIR'] ?? null);
    const parent = dirname(killed.tempdir);
    sendSignal(pool.stats().pids[0], 'SIGKILL');
    const next = await pool.execute<Folder>('folder', null, { idempotent: true });
    await waitUntil('the end of its folder', () => !existsSync(parent));
    await snakepit.close();
    expect(existsSync(dirname(next.tempdir))).toBe(false);
  });

  it('are gone with a host that is killed', async () => {
    const host = startHost(fixture('r_host.mjs'), [SCRIPT]);
    const { folders } = await host.next<{ folders: string[] }>();
    expect(folders.filter((folder) => !existsSync(folder))).toEqual([]);
    host.child.kill('SIGKILL');
    await waitUntil('the end of its folders', () => !folders.some((folder) => existsSync(dirname(folder))));
  });
});

describe.runIf(process.platform === 'linux')('the processes of R workers', () => {
  it('are gone with their host, however busy: R, its pipes and what it has started', async () => {
    const host = startHost(fixture('r_host.mjs'), [SCRIPT]);
    const hostPid = host.child.pid!;
    const { pids, child } = await host.next<{ pids: number[]; child: number }>();
    // R, two times `cat`, and the shell that waits for one of these, for each worker.
    const all = processesOf(hostPid);
    expect(all.length).toBeGreaterThanOrEqual(pids.length * 4 + 1);
    expect([...pids, child].filter((pid) => !all.includes(pid))).toEqual([]);
    host.child.kill('SIGKILL');
    await waitUntil('the end of all', () => !all.some(isAlive));
    expect(processesOf(hostPid)).toEqual([]);
  });

  it('are gone when the pool is closed', async () => {
    const snakepit = await createSnakepit({ adapter: r({ module: SCRIPT }), size: 1 }, { log: () => {} });
    const before = processesOf(process.pid);
    const { pids } = snakepit.pool().stats();
    expect(before).toEqual(expect.arrayContaining([...pids]));
    await snakepit.close();
    expect(processesOf(process.pid)).toEqual([]);
  });
});

describe('a start that fails', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'snakepit-r-spec-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const start = (options: Partial<ROptions>) =>
    createSnakepit(
      { adapter: r({ module: SCRIPT, ...options }), size: 1, restart: { budget: 1 } },
      { log: () => {} },
    ).then(async (snakepit) => {
      await snakepit.close();
      return snakepit;
    });
  function script(text: string): string {
    const path = join(folder, 'worker.R');
    writeFileSync(path, text);
    return path;
  }

  it('says that there is no Rscript', async () => {
    expect(await failureOf(start({ interpreter: '/nowhere/Rscript' }))).toMatchObject({
      code: 'INTERPRETER_NOT_FOUND',
      message: expect.stringContaining('/nowhere/Rscript') as string,
    });
  });

  it('says that there is no script', async () => {
    expect(await failureOf(start({ module: '/nowhere/worker.R' }))).toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  it('says that jsonlite is missing', async () => {
    const bin = join(folder, 'Rscript');
    writeFileSync(bin, '#!/bin/sh\nexec Rscript --vanilla "$@"\n');
    chmodSync(bin, 0o755);
    const empty = { R_LIBS_SITE: folder, R_LIBS_USER: folder, R_LIBS: folder };
    const error = await failureOf(start({ interpreter: bin, env: empty }));
    expect(error.code).toBe('WORKER_START_FAILED');
    expect(error.message).toMatch(/R workers need the package 'jsonlite'/);
  });

  it.each([
    ['a syntax error', 'command("a", function() 1)\n  )\n', /worker\.R:2:3: unexpected '\)'/],
    ['a failing line', 'x <- 1\nstop("no model")\n', /worker\.R:2: simpleError: no model/],
    [
      'two commands of one name',
      'library(snakepit)\ncommand("a", function() 1)\ncommand("a", function() 2)\n',
      /two commands named 'a' \(worker\.R:2 and worker\.R:3\); rename one/,
    ],
    ['no command', 'x <- 1\n', /has no command/],
    [
      'a failing hook',
      'library(snakepit)\ncommand("a", function() 1)\non_start(function() stop("no key"))\n',
      /no key/,
    ],
  ])('says of a script with %s what and where', async (_, text, says) => {
    const error = await failureOf(start({ module: script(text) }));
    expect(error.code).toBe('WORKER_START_FAILED');
    expect(error.message).toMatch(says);
  });
});
