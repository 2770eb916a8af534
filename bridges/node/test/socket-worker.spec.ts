import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CancelReason, Kind, type WorkerHello } from 'nestjs-snakepit/codec';

import { fixture, WorkerProcess } from './worker-process.js';

describe.each(['msgpack', 'json'] as const)('a Node worker over a socket with %s', (codec) => {
  let worker: WorkerProcess;

  beforeAll(async () => {
    worker = await new WorkerProcess(codec, fixture('commands.mjs')).start();
  });
  beforeEach(() => {
    worker.frames.length = 0;
  });
  afterAll(() => worker.kill());

  it('tells in its hello what it is and which commands it has', () => {
    expect(worker.hello).toMatchObject({ codec, language: 'javascript', pid: worker.child.pid });
    const { commands } = worker.hello as WorkerHello;
    expect(commands).toContainEqual({ name: 'sum', kind: 'call', doc: 'Adds up.', schema: { type: 'object' } });
    expect(commands).toContainEqual({ name: 'count', kind: 'stream' });
    expect(commands).toContainEqual({ name: 'remember', kind: 'call' });
  });

  it('passes a map as first argument, a list by position, and null as an empty map', async () => {
    const map = { a: [1, 'ü', null, 1.5], data: Buffer.from([0, 255]), at: new Date(5), big: 2n ** 63n, nan: NaN };
    expect(await worker.call('echo', map)).toMatchObject({ kind: Kind.RESULT, value: map });
    expect(await worker.call('sum', [1, 2])).toMatchObject({ value: 3 });
    expect(await worker.call('echo', null)).toMatchObject({ value: {} });
    expect(await worker.call('echo', 'text')).toMatchObject({ value: 'text' });
    expect(await worker.call('nothing', null)).toMatchObject({ kind: Kind.RESULT, value: null });
    expect(await worker.call('addAsync', { a: 1, b: 2 })).toMatchObject({ value: 3 });
  });

  it('refuses too few positional arguments', async () => {
    expect(await worker.call('sum', [])).toMatchObject({ kind: Kind.ERROR, value: { code: 'INVALID_ARGUMENTS' } });
  });

  it('answers thousands of calls of one write, each with its own result', async () => {
    const ids = Array.from({ length: 5000 }, (_, n) =>
      worker.write(n % 2 ? 'addAsync' : 'echo', n % 2 ? { a: n, b: 1 } : [n]),
    );
    worker.flush();
    const endings = await Promise.all(ids.map((id) => worker.ending(id)));
    expect(endings.map((each) => each.value)).toEqual(ids.map((_, n) => (n % 2 ? n + 1 : n)));
  }, 60_000);

  it('has run the start hooks before it is ready', async () => {
    expect(await worker.call('hasStarted', null)).toMatchObject({ value: true });
  });

  it('tells of what a command threw: type, message, stack without its own frames, data', async () => {
    const { kind, value } = await worker.call('raise', null);
    expect(kind).toBe(Kind.ERROR);
    expect(value).toMatchObject({ code: 'REMOTE_ERROR', type: 'RangeError', message: 'month must be in 1..12' });
    expect(value).toMatchObject({ data: { month: 13 } });
    const { traceback } = value as { traceback: string };
    expect(traceback).toMatch(/commands\.mjs:\d+/);
    expect(traceback).toMatch(/Caused by: Error: the cause/);
    expect(traceback).not.toMatch(/bridges\/node\/dist|node:internal/);
    expect(await worker.call('raiseText', null)).toMatchObject({ value: { type: 'string', message: 'only text' } });
    const withoutData = await worker.call('raiseUnsendableData', null);
    expect(withoutData.value).toMatchObject({
      type: 'Error',
      message: expect.stringMatching(/with data.*error\.data\.f/),
    });
  });

  it('answers results that cannot be sent, and goes on', async () => {
    const refused = await worker.call('unsendable', null);
    expect(refused.value).toMatchObject({ code: 'INVALID_RESULT', message: expect.stringContaining('result.list[1]') });
    const tooLarge = await worker.call('large', { bytes: 2 << 20 });
    expect(tooLarge.value).toMatchObject({ code: 'FRAME_TOO_LARGE' });
    expect(await worker.call('echo', { a: 1 })).toMatchObject({ value: { a: 1 } });
  });

  it('takes frames far larger than one read', async () => {
    const text = 'x'.repeat(700_000);
    expect(await worker.call('echo', { text })).toMatchObject({ value: { text } });
  });

  it('refuses unknown commands, and finds known ones by name', async () => {
    expect(await worker.call('missing', null)).toMatchObject({ value: { code: 'UNKNOWN_COMMAND' } });
  });

  it('shows a command its call', async () => {
    const meta = { session: 's-1', trace: { traceparent: '00-a-b-01' }, context: { tenant: 'acme' } };
    const { value } = await worker.call('whoAmI', null, { meta, deadlineMs: 5000 });
    expect(value).toMatchObject({ command: 'whoAmI', ...meta, cancelled: false });
    expect((value as { deadlineMs: number }).deadlineMs).toBeGreaterThan(1000);
  });

  it('sends log records, progress and events of a call before its result', async () => {
    const { id } = await worker.call('talk', null);
    expect(worker.frames.map(({ kind, value }) => [kind, value])).toEqual([
      [Kind.LOG, { level: 'warn', message: 'careful', fields: { n: 1 } }],
      [Kind.PROGRESS, { done: 0.5 }],
      [Kind.EVENT, { name: 'cache.miss', data: { key: 'a' } }],
      [Kind.RESULT, 'done'],
    ]);
    expect(worker.frames.every((frame) => frame.id === id)).toBe(true);
  });

  it('leaves stdout to the command', async () => {
    await worker.call('print', null);
    expect(await worker.call('echo', [1])).toMatchObject({ value: 1 });
    while (!worker.stdout.includes('a line on stdout')) await once(worker.child.stdout!, 'data');
  });

  it('keeps the socket from processes that a command starts', async () => {
    expect(await worker.call('childHasSocket', null)).toMatchObject({ value: false });
  });

  it('answers pings', async () => {
    worker.send(Kind.PING, 0, 77);
    await worker.until(() => worker.frames.some((frame) => frame.kind === Kind.PONG && frame.id === 77));
  });

  // --- streams -----------------------------------------------------------------------------------

  it('sends a stream as far as credit goes, and more as more is granted', async () => {
    const id = worker.write('count', { to: 6 }, { stream: true });
    worker.flush();
    await worker.until(() => worker.of(Kind.CHUNK).length === 4);
    expect(await worker.call('echo', ['still served'])).toMatchObject({ value: 'still served' });
    expect(worker.of(Kind.CHUNK)).toEqual([1, 2, 3, 4]);
    worker.send(Kind.CREDIT, 10, id);
    expect(await worker.ending(id)).toMatchObject({ kind: Kind.END });
    expect(worker.of(Kind.CHUNK)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('streams what a function returns when told to, and a plain result as one chunk', async () => {
    expect(await worker.call('listed', null, { stream: true })).toMatchObject({ kind: Kind.END });
    expect(await worker.call('echo', ['x'], { stream: true })).toMatchObject({ kind: Kind.END });
    expect(worker.of(Kind.CHUNK)).toEqual(['a', 'b', 'x']);
  });

  it('refuses a stream that is not called as one', async () => {
    expect(await worker.call('count', { to: 1 })).toMatchObject({ value: { code: 'INVALID_ARGUMENTS' } });
  });

  it('ends a stream that throws, or yields what cannot be sent, with an error', async () => {
    expect(await worker.call('breaks', null, { stream: true })).toMatchObject({ value: { type: 'TypeError' } });
    expect(await worker.call('yieldsUnsendable', null, { stream: true })).toMatchObject({
      value: { code: 'INVALID_RESULT' },
    });
  });

  it('closes a cancelled stream so that its clean-up runs', async () => {
    const id = worker.write('countCarefully', { to: 1000 }, { stream: true });
    worker.flush();
    await worker.until(() => worker.of(Kind.CHUNK).length === 4);
    worker.send(Kind.CANCEL, CancelReason.CALLER, id);
    expect(await worker.ending(id)).toMatchObject({ kind: Kind.ERROR, value: { code: 'CANCELLED', started: true } });
    const { value } = await worker.call('readRecord', null);
    expect(value).toContain('countCarefully closed');
  });

  // --- cancelling --------------------------------------------------------------------------------

  it('aborts the signal of a cancelled call', async () => {
    const id = worker.write('wait', null);
    await worker.call('echo', [1]);
    worker.send(Kind.CANCEL, CancelReason.CALLER, id);
    expect(await worker.ending(id)).toMatchObject({ value: { code: 'CANCELLED', started: true } });
  });

  it('answers for a cancelled call that never ends, and sends a result that came first', async () => {
    const deaf = worker.write('waitDeaf', null);
    const polite = worker.write('finishWhenCancelled', null);
    await worker.call('echo', [1]);
    worker.send(Kind.CANCEL, CancelReason.CALLER, deaf);
    worker.send(Kind.CANCEL, CancelReason.CALLER, polite);
    expect(await worker.ending(deaf)).toMatchObject({ value: { code: 'CANCELLED', started: true } });
    expect(await worker.ending(polite)).toMatchObject({ kind: Kind.RESULT, value: 'finished anyway' });
  });

  it('does not begin a call that is cancelled while another blocks', async () => {
    const blocking = worker.write('block', { ms: 50 });
    const behind = worker.write('echo', ['never']);
    worker.flush();
    worker.send(Kind.CANCEL, CancelReason.DEADLINE, behind);
    worker.send(Kind.CANCEL, CancelReason.CALLER, 999_999);
    expect(await worker.ending(behind)).toMatchObject({ value: { code: 'CANCELLED', started: false } });
    expect(await worker.ending(blocking)).toMatchObject({ value: 50, aux: expect.toSatisfy((us) => us >= 49_000) });
  });

  it('does not begin a call whose deadline passed while another blocked', async () => {
    worker.write('block', { ms: 30 });
    expect(await worker.call('echo', [1], { deadlineMs: 5 })).toMatchObject({
      value: { code: 'CALL_TIMEOUT', started: false },
    });
  });

  it('aborts the signal at the deadline', async () => {
    expect(await worker.call('wait', null, { deadlineMs: 20 })).toMatchObject({
      value: { code: 'CALL_TIMEOUT', started: true },
    });
  });

  // --- sessions ----------------------------------------------------------------------------------

  it('reads and writes session data through the host', async () => {
    let value: unknown;
    let revision = 0;
    worker.onHostCall = (frame) => {
      const { method, args } = frame.value as { method: string; args: { value?: unknown; revision?: number } };
      if (method === 'session.read') {
        worker.send(Kind.HOST_RESULT, 0, frame.id, { found: value !== undefined, value: value ?? null, revision });
      } else if (args.revision !== undefined && args.revision === 1) {
        // Somebody else wrote in between.
        revision = 2;
        value = 41;
        worker.send(Kind.HOST_RESULT, 0, frame.id, { written: false, revision });
      } else {
        value = args.value;
        revision += 1;
        worker.send(Kind.HOST_RESULT, 0, frame.id, { written: true, revision });
      }
    };
    const meta = { session: 's-2' };
    const remembered = await worker.call('remember', { key: 'k', value: 7 }, { meta });
    expect(remembered).toMatchObject({ value: 7 });
    expect(worker.of(Kind.HOST_CALL)[0]).toEqual({
      method: 'session.write',
      args: { map: 'metadata', key: 'k', value: 7 },
      call: remembered.id,
    });
    expect(await worker.call('increment', { key: 'k' }, { meta })).toMatchObject({ value: 42 });
  });

  it('passes on what the host refuses', async () => {
    worker.onHostCall = (frame) =>
      worker.send(Kind.HOST_ERROR, 0, frame.id, { code: 'INVALID_ARGUMENTS', message: 'no session' });
    expect(await worker.call('increment', { key: 'k' })).toMatchObject({
      kind: Kind.ERROR,
      value: { message: 'no session' },
    });
  });

  it('runs session hooks before the first call and after the end of a session', async () => {
    const meta = { session: 's-3' };
    await Promise.all([worker.call('echo', [1], { meta }), worker.call('echo', [1], { meta })]);
    worker.send(Kind.SESSION_CLOSED, 0, 0, 's-3');
    worker.send(Kind.SESSION_CLOSED, 0, 0, 'unknown');
    const { value } = await worker.call('readRecord', null);
    expect((value as string[]).filter((line) => / (s-3|unknown)$/.test(line))).toEqual(['open s-3', 'close s-3']);
  });
});

describe('the end of a Node worker', () => {
  let worker: WorkerProcess | undefined;
  const started = async (module = 'commands.mjs', hello = {}): Promise<WorkerProcess> => {
    worker = new WorkerProcess('msgpack', fixture(module), hello);
    return await worker.start();
  };
  afterEach(() => worker?.kill());

  it.each([
    ['clash.mjs', /two commands named 'same'/],
    ['empty.mjs', /exports no functions/],
    ['broken.mjs', /does not load/],
    ['missing.mjs', /missing\.mjs/],
  ])('answers the hello with an error and exits with status 1 for %s', async (module, message) => {
    worker = await started(module);
    expect(worker.hello).toMatchObject({ error: { message: expect.stringMatching(message) } });
    expect(await worker.exit()).toBe(1);
  });

  it('refuses a host that speaks another protocol', async () => {
    worker = await started('commands.mjs', { protocol: [3] });
    expect(worker.hello).toMatchObject({ error: { message: expect.stringContaining('protocol 2') } });
    expect(await worker.exit()).toBe(1);
  });

  it('finishes its calls on SHUTDOWN, runs its hooks and exits with status 0', async () => {
    const running = (worker = await started());
    const ids = [worker.write('block', { ms: 20 }), worker.write('addAsync', { a: 1, b: 2 })];
    worker.flush();
    worker.send(Kind.SHUTDOWN, 0, 0);
    expect(await Promise.all(ids.map((id) => running.ending(id)))).toMatchObject([{ value: 20 }, { value: 3 }]);
    expect(await worker.exit()).toBe(0);
    expect(worker.stdout).toContain('shutdown hook ran');
  });

  it('does not wait for calls on SIGTERM', async () => {
    worker = await started();
    worker.write('waitDeaf', null);
    await worker.call('echo', [1]);
    worker.child.kill('SIGTERM');
    expect(await worker.exit()).toBe(0);
    expect(worker.stdout).toContain('shutdown hook ran');
  });

  it('kills its group when the host closes the socket', async () => {
    worker = await started();
    worker.socket.destroy();
    expect(await worker.exit()).toBe('SIGKILL');
  });

  it('exits with status 1 when the host breaks the protocol', async () => {
    worker = await started();
    worker.send(Kind.RESULT, 0, 1, null);
    expect(await worker.exit()).toBe(1);
  });

  it('dies with its host even while a command blocks', async () => {
    // A host of its own, so that it can be killed: it starts the worker, blocks it, and says its process id.
    const host = spawn(process.execPath, ['--input-type=module', '-e', BLOCKING_HOST], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: fixture('.'),
    });
    const [line] = (await once(host.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    host.kill('SIGKILL');
    while (isAlive(pid)) await sleep(10);
  });
});

const BLOCKING_HOST = `
import { spawn } from 'node:child_process';
import { ByteWriter, createCodec, encodeHello, FrameReader, Kind, parseWorkerHello } from 'nestjs-snakepit/codec';
const child = spawn(process.execPath, ['../../dist/worker.js', '--module', 'commands.mjs'], {
  stdio: ['ignore', 'ignore', 'inherit', 'pipe'], detached: true,
  env: { ...process.env, SNAKEPIT_PROTOCOL: 'v2', SNAKEPIT_FD: '3' },
});
const out = new ByteWriter();
encodeHello({ protocol: [2], codecs: ['json'], maxFrameBytes: 1000, maxDepth: 9, streamCredit: 1, workerId: 'w', pool: 'w' }, out);
child.stdio[3].write(out.take());
const reader = new FrameReader(1e6);
child.stdio[3].on('data', (chunk) => reader.push(chunk, { onFrame(kind, f, aux, id, bytes, start, end) {
  if (kind === Kind.PROGRESS) setTimeout(() => console.log(child.pid), 200);
  if (kind !== Kind.HELLO) return;
  const index = parseWorkerHello(bytes, start, end).commands.findIndex((each) => each.name === 'blockForever');
  // The thread that watches starts right after the hello.
  setTimeout(() => { out.frame(Kind.CALL, 0, index, 1); child.stdio[3].write(out.take()); }, 100);
} }));
`;

/** A zombie that nobody waits for is as good as gone. */
function isAlive(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}
