import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CancelReason } from 'nestjs-snakepit/codec/grpc';

import { GrpcWorkerProcess, HostEnd, socketPath } from './grpc-worker-process.js';
import { fixture } from './worker-process.js';

const socket = socketPath();
let worker: GrpcWorkerProcess;
let address: string;

beforeAll(async () => {
  worker = GrpcWorkerProcess.standalone(fixture('commands.mjs'), [
    '--listen',
    `unix:${socket.path}`,
    '--token-file',
    fixture('token'),
  ]);
  address = await worker.listening();
});
afterAll(() => {
  worker.kill();
  socket.remove();
});

describe.each(['msgpack', 'json'] as const)('a Node worker over gRPC with %s', (codec) => {
  let host: HostEnd;

  beforeAll(async () => {
    host = await new HostEnd(address).attach(codec);
  });
  beforeEach(() => {
    host.received.length = 0;
    host.onMessage = undefined;
  });
  afterAll(() => host.close());

  it('tells in its hello what it is and which commands it has', () => {
    expect(host.hello).toMatchObject({
      protocol: 2,
      codec,
      language: 'javascript',
      pid: worker.child.pid,
      silentWhileBusy: true,
      typedArrays: true,
      maxFrameBytes: 0,
    });
    const { commands } = host.hello!;
    const bare = { doc: '', schema: '', positional: [], result: '' };
    expect(commands).toContainEqual({ ...bare, name: 'sum', kind: 1, doc: 'Adds up.', schema: '{"type":"object"}' });
    expect(commands).toContainEqual({ ...bare, name: 'count', kind: 2 });
  });

  it('passes a map as first argument, a list by position, and null as an empty map', async () => {
    const map = { a: [1, 'ü', null, 1.5], data: Buffer.from([0, 255]), at: new Date(5), big: 2n ** 63n, nan: NaN };
    expect(await host.call('echo', map)).toMatchObject({ status: 0, value: map });
    expect(await host.call('sum', [1, 2])).toMatchObject({ value: 3 });
    expect(await host.call('echo', null, { body: {} })).toMatchObject({ value: {} });
    expect(await host.call('nothing', null)).toMatchObject({ status: 0, value: null });
    expect(await host.call('addAsync', { a: 1, b: 2 })).toMatchObject({ value: 3 });
  });

  it('keeps the types of typed arrays', async () => {
    const { value } = await host.call('echo', { x: new Float64Array([1.5, -2]) });
    expect(value).toEqual({ x: new Float64Array([1.5, -2]) });
  });

  it('answers hundreds of calls at once, each with its own result', async () => {
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    const endings = await Promise.all(
      numbers.map((n) => (n % 2 ? host.call('addAsync', { a: n, b: 1 }) : host.call('echo', [n]))),
    );
    expect(endings.map((each) => each.value)).toEqual(numbers.map((n) => (n % 2 ? n + 1 : n)));
  });

  it('takes and gives values far larger than one window of HTTP/2', async () => {
    const text = 'x'.repeat(700_000);
    expect(await host.call('echo', { text })).toMatchObject({ value: { text } });
  });

  it('tells of what a command threw: type, message, stack without its own frames, data', async () => {
    const { status: code, details, failure } = await host.call('raise', null);
    expect(code).toBe(status.UNKNOWN);
    expect(details).toBe('month must be in 1..12');
    expect(failure).toMatchObject({ code: 'REMOTE_ERROR', type: 'RangeError', message: details, abridged: false });
    expect(host.decode(failure!.data!.data, failure!.data!.tagged)).toEqual({ month: 13 });
    expect(failure!.traceback).toMatch(/commands\.mjs:\d+[^]*Caused by: Error: the cause/);
    expect(failure!.traceback).not.toMatch(/bridges\/node\/dist|node:internal/);
    const withoutData = await host.call('raiseUnsendableData', null);
    expect(withoutData.failure!.message).toMatch(/with data.*error\.data\.f/);
  });

  it('sends a failure that is too large for metadata on the control stream before the call ends', async () => {
    const request = host.request('raiseMuch', { bytes: 3000 });
    const { failure, details, notices } = await host.send(request);
    expect(failure).toMatchObject({ code: 'REMOTE_ERROR', abridged: true, traceback: '', data: undefined });
    expect(Buffer.byteLength(details)).toBeLessThanOrEqual(1024);
    expect(details).toMatch(/^ü+$/);
    expect(notices).toBe(2);
    await host.until(() => host.received.length === 2);
    const whole = host.received[1]!.failure!;
    expect(whole.call).toBe(request.id);
    expect(whole.failure!.message).toBe('ü'.repeat(3000));
    expect(host.decode(whole.failure!.data!.data, whole.failure!.data!.tagged)).toEqual({ text: 'x'.repeat(3000) });
  });

  it('answers results that cannot be sent, and goes on', async () => {
    const refused = await host.call('unsendable', null);
    expect(refused).toMatchObject({ status: status.INTERNAL, failure: { code: 'INVALID_RESULT' } });
    expect(refused.details).toContain('result.list[1]');
    expect(await host.call('large', { bytes: 2 << 20 })).toMatchObject({
      status: status.RESOURCE_EXHAUSTED,
      failure: { code: 'FRAME_TOO_LARGE' },
    });
    expect(await host.call('echo', { a: 1 })).toMatchObject({ value: { a: 1 } });
  });

  it('refuses arguments that are too large, malformed, or do not fit', async () => {
    expect(await host.call('echo', { text: 'x'.repeat(1 << 20) })).toMatchObject({
      status: status.RESOURCE_EXHAUSTED,
      failure: { code: 'FRAME_TOO_LARGE', started: false },
    });
    expect(await host.call('echo', null, { body: { data: Buffer.of(0xc1), tagged: false } })).toMatchObject({
      failure: { code: 'INVALID_ARGUMENTS' },
    });
    expect(await host.call('sum', [])).toMatchObject({ failure: { code: 'INVALID_ARGUMENTS' } });
  });

  it('refuses unknown commands, attachments that are not there, and ids used twice', async () => {
    expect(await host.call('missing', null)).toMatchObject({
      status: status.UNIMPLEMENTED,
      failure: { code: 'UNKNOWN_COMMAND' },
    });
    expect(await host.call('echo', 1, { attachment: 4_000_000, id: 1 })).toMatchObject({
      status: status.FAILED_PRECONDITION,
    });
    expect(await host.call('echo', 1, { id: 0 })).toMatchObject({ status: status.INVALID_ARGUMENT });
    const running = host.request('waitDeaf', null);
    const first = host.send(running);
    const second = await host.send(running);
    expect(second.status).toBe(status.INVALID_ARGUMENT);
    expect(second).not.toHaveProperty('failure');
    host.say({ cancel: { call: running.id, reason: CancelReason.CALLER } });
    expect(await first).toMatchObject({ status: status.CANCELLED });
  });

  it('shows a command its call', async () => {
    const meta = {
      session: 's-1',
      traceparent: '00-a-b-01',
      context: new Map([['tenant', 'acme']]),
    };
    const { value } = await host.call('whoAmI', null, { meta, deadlineMs: 5000 });
    expect(value).toMatchObject({
      command: 'whoAmI',
      session: 's-1',
      trace: { traceparent: '00-a-b-01' },
      context: { tenant: 'acme' },
      cancelled: false,
    });
    expect((value as { deadlineMs: number }).deadlineMs).toBeGreaterThan(1000);
  });

  it('sends log records, progress and events, and says in the answer how many', async () => {
    const request = host.request('talk', null);
    const { notices } = await host.send(request);
    expect(notices).toBe(3);
    await host.until(() => host.received.length === 3);
    const [log, progress, event] = host.received;
    expect(log!.log).toMatchObject({ call: request.id, level: 'warn', message: 'careful' });
    expect(host.decode(log!.log!.fields!.data, log!.log!.fields!.tagged)).toEqual({ n: 1 });
    expect(progress!.progress!.call).toBe(request.id);
    expect(host.decode(progress!.progress!.value!.data, false)).toEqual({ done: 0.5 });
    expect(event!.event).toMatchObject({ call: request.id, name: 'cache.miss' });
  });

  it('answers pings', async () => {
    host.say({ ping: { id: 77 } });
    await host.until(() => host.received.some(({ pong }) => pong?.id === 77));
  });

  it('lets answers leave before a command that is known to be slow has the thread', async () => {
    await host.call('block', { ms: 5 });
    const order: string[] = [];
    const quick = host.call('echo', [1]).then(() => order.push('quick'));
    const slow = host.call('block', { ms: 100 }).then(() => order.push('slow'));
    await Promise.all([quick, slow]);
    expect(order).toEqual(['quick', 'slow']);
  });

  // --- streams -----------------------------------------------------------------------------------

  it('sends a stream as far as credit goes, and more as more is granted', async () => {
    const stream = host.stream('count', { to: 6 });
    await host.until(() => stream.chunks.length === 4);
    expect(await host.call('echo', ['still served'])).toMatchObject({ value: 'still served' });
    expect(stream.chunks).toEqual([1, 2, 3, 4]);
    host.say({ credit: { call: stream.id, chunks: 10 } });
    expect(await stream.ending).toMatchObject({ status: 0, chunks: [1, 2, 3, 4, 5, 6] });
    expect(stream.items.at(-1)!.end).toBeDefined();
  });

  it('puts chunks that are ready together into few items', async () => {
    const stream = host.stream('count', { to: 2000 });
    await host.until(() => stream.chunks.length === 4);
    host.say({ credit: { call: stream.id, chunks: 2000 } });
    await stream.ending;
    expect(stream.chunks).toEqual(Array.from({ length: 2000 }, (_, n) => n + 1));
    expect(stream.items.length).toBeLessThan(500);
  });

  it('keeps the progress of a stream in order with its chunks', async () => {
    const stream = host.stream('report', { steps: 3 });
    expect(await stream.ending).toMatchObject({ status: 0, chunks: [1, 2, 3], notices: 0 });
    const order: string[] = [];
    for (const { progress, chunks } of stream.items) {
      if (progress) order.push(`p${Number(host.decode(progress.data, progress.tagged)).toFixed(2)}`);
      for (const chunk of chunks) order.push(`c${String(host.decode(chunk.data, chunk.tagged))}`);
    }
    expect(order).toEqual(['p0.33', 'c1', 'p0.67', 'c2', 'p1.00', 'c3']);
  });

  it('streams what a function returns when told to, and a plain result as one chunk', async () => {
    expect(await host.stream('listed', null).ending).toMatchObject({ chunks: ['a', 'b'] });
    expect(await host.stream('echo', ['x']).ending).toMatchObject({ status: 0, chunks: ['x'] });
  });

  it('refuses a stream that is not called as one', async () => {
    expect(await host.call('count', { to: 1 })).toMatchObject({ failure: { code: 'INVALID_ARGUMENTS' } });
  });

  it('ends a stream that throws, or yields what cannot be sent, with an error behind its chunks', async () => {
    expect(await host.stream('breaks', null).ending).toMatchObject({ chunks: [1], failure: { type: 'TypeError' } });
    expect(await host.stream('yieldsUnsendable', null).ending).toMatchObject({
      chunks: [1],
      failure: { code: 'INVALID_RESULT' },
    });
  });

  it('closes a cancelled stream so that its clean-up runs', async () => {
    const stream = host.stream('countCarefully', { to: 1000 });
    await host.until(() => stream.chunks.length === 4);
    host.say({ cancel: { call: stream.id, reason: CancelReason.CALLER } });
    expect(await stream.ending).toMatchObject({ failure: { code: 'CANCELLED', started: true } });
    const { value } = await host.call('readRecord', null);
    expect(value).toContain('countCarefully closed');
  });

  it('cancels a stream whose RPC is reset, and releases it', async () => {
    const stream = host.stream('countCarefully', { to: 1000 });
    await host.until(() => stream.chunks.length === 4);
    stream.cancel();
    await host.until(() => host.received.some(({ released }) => released?.call === stream.id));
  });

  // --- cancelling and deadlines ------------------------------------------------------------------

  it('aborts the signal of a cancelled call', async () => {
    const request = host.request('wait', null);
    const ending = host.send(request);
    await host.call('echo', [1]);
    host.say({ cancel: { call: request.id, reason: CancelReason.CALLER } });
    expect(await ending).toMatchObject({ status: status.CANCELLED, failure: { code: 'CANCELLED', started: true } });
  });

  it('answers for a cancelled call that never ends, and sends a result that came first', async () => {
    const deaf = host.request('waitDeaf', null);
    const polite = host.request('finishWhenCancelled', null);
    const endings = [host.send(deaf), host.send(polite)];
    await host.call('echo', [1]);
    for (const { id } of [deaf, polite]) host.say({ cancel: { call: id, reason: CancelReason.CALLER } });
    expect(await endings[0]).toMatchObject({ failure: { code: 'CANCELLED', started: true } });
    expect(await endings[1]).toMatchObject({ status: 0, value: 'finished anyway' });
  });

  it('releases a call that it does not hold, and does not begin it when it comes later', async () => {
    const request = host.request('echo', ['never']);
    host.say({ cancel: { call: request.id, reason: CancelReason.DEADLINE } });
    await host.until(() => host.received.some(({ released }) => released?.call === request.id));
    expect(await host.send(request)).toMatchObject({ failure: { code: 'CANCELLED', started: false } });
  });

  it('releases a call that goes on after its deadline', async () => {
    const request = host.request('waitDeaf', null);
    expect(await host.send(request, { deadlineMs: 30 })).toMatchObject({ status: status.DEADLINE_EXCEEDED });
    await host.until(() => host.received.some(({ released }) => released?.call === request.id));
    const released = host.received.find((each) => each.released?.call === request.id)!.released!;
    expect(released.serviceUs).toBeGreaterThan(30_000);
  });

  it('releases a call whose answer and deadline crossed, when its host cancels it', async () => {
    const request = host.request('finishWhenCancelled', null);
    // Both ends watch the deadline, and the command ends well when it passes: which of the two is faster is open.
    const { status: ending } = await host.send(request, { deadlineMs: 30 });
    expect([status.DEADLINE_EXCEEDED, status.OK]).toContain(ending);
    host.say({ cancel: { call: request.id, reason: CancelReason.DEADLINE } });
    await host.until(() => host.received.some(({ released }) => released?.call === request.id));
  });

  it('releases a call that passed its deadline while another blocked, without beginning it', async () => {
    const blocking = host.call('block', { ms: 60 });
    const behind = host.request('remember', { key: 'k', value: 1 });
    expect(await host.send(behind, { deadlineMs: 15 })).toMatchObject({ status: status.DEADLINE_EXCEEDED });
    host.say({ cancel: { call: behind.id, reason: CancelReason.DEADLINE } });
    await blocking;
    await host.until(() => host.received.some(({ released }) => released?.call === behind.id));
    expect(host.received.some(({ hostCall }) => hostCall !== undefined)).toBe(false);
  });

  // --- sessions ----------------------------------------------------------------------------------

  it('reads and writes session data through the host', async () => {
    host.onMessage = ({ hostCall }) => {
      if (hostCall === undefined) return;
      const answer = { read: { found: true, value: 7, revision: 1 }, write: { written: true, revision: 1 } };
      const { data, tagged } = host.encode(hostCall.method.endsWith('read') ? answer.read : answer.write);
      host.say({ hostReply: { id: hostCall.id, result: { data, tagged } } });
    };
    const request = host.request('remember', { key: 'k', value: 7 }, { meta: { session: 's-2' } });
    expect(await host.send(request)).toMatchObject({ value: 7 });
    const first = host.received.find(({ hostCall }) => hostCall !== undefined);
    expect(first!.hostCall).toMatchObject({ call: request.id, method: 'session.write' });
    expect(host.decode(first!.hostCall!.args!.data, first!.hostCall!.args!.tagged)).toEqual({
      map: 'metadata',
      key: 'k',
      value: 7,
    });
  });

  it('passes on what the host refuses', async () => {
    host.onMessage = ({ hostCall }) => {
      if (hostCall === undefined) return;
      host.say({ hostReply: { id: hostCall.id, failure: { code: 'INVALID_ARGUMENTS', message: 'no session' } } });
    };
    expect(await host.call('increment', { key: 'k' })).toMatchObject({ failure: { message: 'no session' } });
  });

  it('runs session hooks before the first call and after the end of a session', async () => {
    const session = `s-3-${codec}`;
    const meta = { session };
    await Promise.all([host.call('echo', [1], { meta }), host.call('echo', [1], { meta })]);
    host.say({ sessionClosed: { session } }, { sessionClosed: { session: 'unknown' } });
    host.say({ ping: { id: 1 } });
    await host.until(() => host.received.some(({ pong }) => pong !== undefined));
    const { value } = await host.call('readRecord', null);
    expect((value as string[]).filter((line) => line.endsWith(session))).toEqual([
      `open ${session}`,
      `close ${session}`,
    ]);
  });

  // --- several hosts -----------------------------------------------------------------------------

  it('gives each host an attachment of its own, and outlives them', async () => {
    const other = await new HostEnd(address).attach(codec);
    expect(other.hello!.attachment).not.toBe(host.hello!.attachment);
    const session = `s-4-${codec}`;
    await other.call('echo', [1], { meta: { session } });
    const running = other.request('finishWhenCancelled', null);
    const ending = other.send(running);
    await other.call('echo', [1]);
    other.say({ shutdown: {} });
    other.control!.end();
    expect(await ending).toMatchObject({ value: 'finished anyway' });
    await other.until(() => other.ended !== undefined);
    expect(other.ended).toMatchObject({ code: status.OK });
    expect(await other.call('echo', [1])).toMatchObject({ status: status.FAILED_PRECONDITION });
    const { value } = await host.call('readRecord', null);
    expect(value).toContain(`close ${session}`);
    other.close();
  });

  it('cancels the calls of a host that is gone', async () => {
    const other = await new HostEnd(address).attach(codec);
    void other.stream('countCarefully', { to: 1000 });
    const before = ((await host.call('readRecord', null)).value as string[]).length;
    await other.call('echo', [1]);
    other.close();
    for (;;) {
      const { value } = await host.call('readRecord', null);
      if ((value as string[]).slice(before).includes('countCarefully closed')) break;
    }
  });
});

describe('callers without an attachment', () => {
  it('call in JSON, and take streams that only HTTP/2 holds back', async () => {
    const shell = new HostEnd(address);
    expect(await shell.call('sum', [1, 2])).toMatchObject({ status: 0, value: 3 });
    expect(await shell.call('talk', null)).toMatchObject({ value: 'done', notices: 0 });
    expect(await shell.call('raise', null)).toMatchObject({ failure: { code: 'REMOTE_ERROR' } });
    expect((await shell.call('raiseMuch', { bytes: 5000 })).failure).toMatchObject({ abridged: true });
    const { failure } = await shell.call('increment', { key: 'k' }, { meta: { session: 's' } });
    expect(failure!.message).toMatch(/attached as one/);
    const stream = shell.stream('count', { to: 1000 });
    expect((await stream.ending).chunks).toHaveLength(1000);
    shell.close();
  });

  it('are refused without the token, or with another, but for health', async () => {
    const stranger = new HostEnd(address);
    for (const token of [null, 'another-token-of-specs', '']) {
      expect(await stranger.call('echo', 1, { token })).toMatchObject({ status: status.UNAUTHENTICATED });
      expect(await stranger.stream('count', { to: 1 }, { token }).ending).toMatchObject({
        status: status.UNAUTHENTICATED,
      });
    }
    expect(await stranger.health()).toBe(1);
    expect(await stranger.health('snakepit.v2.Worker')).toBe(1);
    await expect(stranger.health('other')).rejects.toMatchObject({ code: status.NOT_FOUND });
    stranger.close();
  });
});

describe('a hello that a Node worker refuses', () => {
  let host: HostEnd;
  afterEach(() => host.close());

  it.each([
    ['another protocol', { protocol: [3] }],
    ['an unknown codec', { codecs: ['cbor'] }],
    ['no limits', { maxDepth: 0 }],
  ])('%s', async (_, hello) => {
    host = await new HostEnd(address).attach('json', hello);
    expect(host.ended).toMatchObject({ code: status.FAILED_PRECONDITION });
  });

  it('says its own limit when the host allows more', async () => {
    host = await new HostEnd(address).attach('json', { maxFrameBytes: 1 << 30 });
    expect(host.hello!.maxFrameBytes).toBe(64 << 20);
  });
});
