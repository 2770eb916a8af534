import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  custom,
  grpc,
  type CustomOptions,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { firstValueFrom, take, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';

import { startHost } from '../../support/host-script.js';
import { failureOf, itemsOf, received } from '../../support/outcomes.js';
import { pidIsAlive, untilGone } from '../../support/processes.js';
import { entriesOf, entryWith, useScratch } from '../../support/records.js';
import { startStandalone, type StandaloneWorker } from '../../support/standalone-worker.js';
import { waitUntil } from '../../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

const QUICK = { initialDelayMs: 10, maxDelayMs: 100, budget: 1_000 };

const open: Snakepit[] = [];
const servers: Server[] = [];
const workers: StandaloneWorker[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((snakepit) => snakepit.close()));
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
  await Promise.all(servers.splice(0).map((server) => once(server.close(), 'close')));
});

const scratch = useScratch();
const env = () => ({ PYTHONPATH: [pathOf('bridges/python'), inject('pythonPackages')].join(delimiter) });

/** A bridge of the ancestor's: plain grpcio. */
function bridge(args: readonly string[] = [], more: Partial<CustomOptions> = {}) {
  return custom({
    executable: 'python3',
    script: pathOf('test/fixtures/integration/ancestor_grpc_bridge.py'),
    args: [...args],
    env: env(),
    protocol: 'v1',
    transport: 'grpc',
    ...more,
  });
}

async function start(options: PoolOptions) {
  const snakepit = await createSnakepit({ size: 1, restart: QUICK, killGraceMs: 1_000, ...options });
  open.push(snakepit);
  return snakepit.pool();
}

describe('a gRPC bridge of the ancestor’s', () => {
  let shared: Snakepit;
  let pool: PoolService;
  let restartsBefore: number;
  beforeAll(async () => {
    shared = await createSnakepit({ adapter: bridge(), size: 1, restart: QUICK, killGraceMs: 1_000 });
    pool = shared.pool();
  });
  beforeEach(() => {
    restartsBefore = pool.stats().restarts;
  });
  afterAll(() => shared.close());
  const restarts = () => pool.stats().restarts - restartsBefore;

  it('takes maps of arguments and gives maps of results', async () => {
    expect(await pool.execute('add', { a: 40, b: 2 })).toEqual({ result: 42 });
    expect(await pool.execute('echo', { deep: { list: [1, 'two', null] } })).toEqual({
      deep: { list: [1, 'two', null] },
    });
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
    expect(await pool.execute('ping', null)).toEqual({ result: 'pong' });
  });

  it('gets strings as strings, whatever they look like, and binary as it is', async () => {
    const args = {
      plain: 'some text',
      digits: '5',
      flag: 'true',
      float: 'NaN',
      floats: '[NaN, -Infinity]',
      quoted: '"x"',
      map: '{"a":1}',
      date: '2026-01-31',
      empty: '',
      number: 1.5,
      nothing: null,
      left: undefined,
      bytes: Buffer.from([0xff, 0x00]),
    };
    expect(await pool.execute('kinds', args)).toEqual({
      plain: "str 'some text'",
      digits: "str '5'",
      flag: "str 'true'",
      float: "str 'NaN'",
      floats: "str '[NaN, -Infinity]'",
      quoted: `str '"x"'`,
      map: `str '{"a":1}'`,
      date: "str '2026-01-31'",
      empty: "str ''",
      number: 'float 1.5',
      nothing: 'NoneType None',
      bytes: "bytes b'\\xff\\x00'",
    });
  });

  it('gives results of every kind that its bytes can hold', async () => {
    expect(await pool.execute('give', { what: 'map' })).toEqual({
      text: 'plain',
      number: 5,
      list: [1, { a: null }],
      flag: true,
      nothing: null,
      raw: Buffer.from([0xff, 0x00]),
    });
    expect(await pool.execute('give', { what: 'scalar' })).toEqual({ result: 42 });
    expect(await pool.execute('give', { what: 'text' })).toEqual({ result: 'hello' });
    // What the bridge wrote bare, nobody can tell from a number.
    expect(await pool.execute('give', { what: 'digits' })).toEqual({ result: 5 });
    expect(await pool.execute('give', { what: 'floats' })).toEqual({
      mean: Number.NaN,
      rows: [Infinity, 1.5, 'NaN'],
      low: -Infinity,
    });
  });

  it.each([
    { what: 'a list', args: [1], path: 'args', says: 'is no map' },
    { what: 'a scalar', args: 5, path: 'args', says: 'is no map' },
    { what: 'NaN', args: { a: [Number.NaN] }, path: 'args.a[0]', says: 'plain JSON cannot carry' },
    { what: 'a time', args: { at: new Date() }, path: 'args.at', says: 'plain JSON cannot carry' },
    { what: 'a large integer', args: { n: 2n ** 60n }, path: 'args.n', says: 'plain JSON cannot carry' },
    { what: 'binary within a map', args: { a: { b: Buffer.of(1) } }, path: 'args.a.b', says: 'cannot carry' },
    { what: 'a function', args: { 'a b': () => 1 }, path: 'args["a b"]', says: 'is a function' },
  ])('is not sent $what, and the error names the place', async ({ args, path, says }) => {
    const error = await failureOf(pool.execute('echo', args));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started', details: { path } });
    expect(error.message).toContain(says);
  });

  it('gets no more than maxFrameBytes, and gives none', async () => {
    const small = await start({ adapter: bridge(), maxFrameBytes: 100_000 });
    expect(await failureOf(small.execute('echo', { a: 'x'.repeat(100_001) }))).toMatchObject({
      code: 'FRAME_TOO_LARGE',
      delivery: 'not-started',
    });
    expect(await failureOf(small.execute('give', { what: 'large' }))).toMatchObject({
      code: 'FRAME_TOO_LARGE',
      delivery: 'may-have-run',
    });
    expect(await small.execute('ping')).toEqual({ result: 'pong' });
    expect(small.stats().restarts).toBe(0);
  });

  it('is told of the session and of the time that is left', async () => {
    const reply = await pool.executeInSession<Record<string, unknown>>('s1', 'session', {}, { timeoutMs: 5_000 });
    expect(reply['session']).toBe('s1');
    expect(reply['timeout']).toBeGreaterThan(4_000);
    expect(reply['timeout']).toBeLessThanOrEqual(5_000);
    expect(await pool.execute('session')).toMatchObject({ session: null });
    const items = await itemsOf(pool.streamInSession('s2', 'numbers', { to: 1 }));
    expect(items).toEqual([{ session: 's2' }, { number: 0 }]);
  });

  it('fails by its text, which ran', async () => {
    expect(await failureOf(pool.execute('fail', { message: 'month must be in 1..12' }))).toMatchObject({
      code: 'REMOTE_ERROR',
      delivery: 'ran',
      remote: { message: 'month must be in 1..12' },
    });
    expect((await failureOf(pool.execute('nothing'))).remote?.message).toBe('Unknown command: nothing');
  });

  it.each([
    { name: 'UNKNOWN', expected: { code: 'REMOTE_ERROR', delivery: 'may-have-run' } },
    { name: 'INTERNAL', expected: { code: 'REMOTE_ERROR', delivery: 'may-have-run' } },
    { name: 'INVALID_ARGUMENT', expected: { code: 'REMOTE_ERROR', delivery: 'may-have-run' } },
    { name: 'UNIMPLEMENTED', expected: { code: 'UNSUPPORTED', delivery: 'not-started' } },
    { name: 'RESOURCE_EXHAUSTED', expected: { code: 'FRAME_TOO_LARGE', delivery: 'may-have-run' } },
  ])('that ends a call by $name goes on with the next', async ({ name, expected }) => {
    const error = await failureOf(pool.execute('status', { name }));
    expect(error).toMatchObject(expected);
    expect(error.message).toContain('said the bridge');
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
    expect(restarts()).toBe(0);
  });

  it.each([
    { name: 'CANCELLED', expected: { code: 'WORKER_EXITED', delivery: 'may-have-run' } },
    { name: 'UNAVAILABLE', expected: { code: 'WORKER_EXITED', delivery: 'may-have-run' } },
    { name: 'DEADLINE_EXCEEDED', expected: { code: 'CALL_TIMEOUT', delivery: 'may-have-run' } },
    { name: 'UNAUTHENTICATED', expected: { code: 'PROTOCOL_ERROR', delivery: 'not-started' } },
  ])('that ends a call by $name is replaced', async ({ name, expected }) => {
    expect(await failureOf(pool.execute('status', { name }))).toMatchObject(expected);
    await expect.poll(restarts).toBe(1);
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
  });

  it('whose servicer raises tells what it said', async () => {
    const error = await failureOf(pool.execute('raise'));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'may-have-run' });
    expect(error.message).toContain('the servicer itself broke');
  });

  it.each([
    { ending: 'final', last: [] },
    { ending: 'final chunk', last: [{ result: 'last' }] },
    { ending: 'none', last: [] },
  ])('ends a stream by $ending', async ({ ending, last }) => {
    const items = await itemsOf(pool.stream('numbers', { to: 300, ending }));
    expect(items).toEqual([...Array.from({ length: 300 }, (_, number) => ({ number })), ...last]);
  });

  it('ends a stream by an error, after the items that came', async () => {
    const { items, error } = await received(pool.stream('breaks', { at: 3 }));
    expect(items).toEqual([{ number: 0 }, { number: 1 }, { number: 2 }]);
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran', remote: { message: 'it broke at 3' } });
  });

  it('closes a stream that its consumer leaves, and takes the next call', async () => {
    const path = scratch();
    expect(await firstValueFrom(pool.stream('ticks', { ms: 2, path }).pipe(take(3), toArray()))).toEqual([
      { result: 0 },
      { result: 1 },
      { result: 2 },
    ]);
    await entryWith(path, 'closed');
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
    expect(restarts()).toBe(0);
  });

  it('is held back by a slow consumer', async () => {
    const path = scratch();
    const slow = await start({ adapter: bridge(), streamCredit: 2 });
    const made = () => entriesOf(path).length;
    const blocks = slow.iterate<{ block: Buffer }>('blocks', { count: 60, path });
    expect((await blocks.next()).value?.block).toHaveLength(2 ** 20 + 1);
    // It makes as many as HTTP/2's window takes, and then waits.
    let before: number;
    do {
      before = made();
      await pool.execute('doze', { ms: 150 });
    } while (made() > before);
    expect(made()).toBeLessThan(40);
    let items = 1;
    for await (const { block } of blocks) items += block.length > 2 ** 20 ? 1 : 0;
    expect(items).toBe(60);
  });

  it('closes a stream whose deadline passes, as long as that gives a sign of life', async () => {
    const path = scratch();
    const { error } = await received(pool.stream('ticks', { ms: 5, path }, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    await entryWith(path, 'closed');
    await expect.poll(() => pool.stats().inFlight).toBe(0);
    expect(restarts()).toBe(0);
  });

  it('is asked for its health while it is idle, and not while a call is in its hands', async () => {
    const watched = await start({ adapter: bridge(), heartbeatIntervalMs: 20, heartbeatTimeoutMs: 2_000 });
    const checks = async () => (await watched.execute<{ result: number }>('health_checks')).result;
    await pool.execute('doze', { ms: 300 });
    const idle = await checks();
    expect(idle).toBeGreaterThan(2);
    await watched.execute('doze', { ms: 500 });
    expect((await checks()) - idle).toBeLessThan(5);
  });

  it('is gone when the pool is closed, by SIGTERM and at once', async () => {
    const { pids } = (await start({ adapter: bridge() })).stats();
    const began = performance.now();
    await open.pop()?.close();
    expect(performance.now() - began).toBeLessThan(1_500);
    await untilGone(pids);
  });
});

describe('a gRPC bridge that misbehaves', () => {
  it('in a call beyond its deadline is killed and replaced; one that answers late is kept', async () => {
    const pool = await start({ adapter: bridge(), cancelGraceMs: 300 });
    const [pid] = pool.stats().pids;
    const late = failureOf(pool.execute('doze', { ms: 200 }, { timeoutMs: 100 }));
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    await expect.poll(() => pool.stats().inFlight).toBe(0);
    expect(pool.stats().pids).toEqual([pid]);
    const path = scratch();
    const hung = failureOf(pool.execute('doze', { ms: 60_000, path }, { timeoutMs: 100 }));
    expect(await hung).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    await untilGone([pid!]);
    expect(await pool.execute('add', { a: 1, b: 2 })).toEqual({ result: 3 });
  });

  it('in a stream beyond its deadline is killed and replaced', async () => {
    const pool = await start({ adapter: bridge(), cancelGraceMs: 100 });
    const { pids } = pool.stats();
    const path = scratch();
    const { items, error } = await received(pool.stream('stuck', { path }, { timeoutMs: 200 }));
    expect(items).toEqual([{ result: 1 }]);
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT' });
    await untilGone(pids);
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
  });

  it('keeps its call while that cannot be stopped, so that it never counts as free', async () => {
    const pool = await start({ adapter: bridge() });
    const path = scratch();
    const abort = new AbortController();
    const call = failureOf(pool.execute('doze', { ms: 300, path }, { signal: abort.signal }));
    await entryWith(path, 'began');
    abort.abort();
    expect(await call).toMatchObject({ code: 'CANCELLED', delivery: 'may-have-run' });
    expect(pool.stats().inFlight).toBe(1);
    await pool.execute('ping');
    expect(entriesOf(path).some((entry) => 'ended' in entry)).toBe(true);
  });

  it('is not sent a call that was cancelled before it left', async () => {
    const pool = await start({ adapter: bridge() });
    const path = scratch();
    const abort = new AbortController();
    const call = failureOf(pool.execute('doze', { ms: 1, path }, { signal: abort.signal }));
    abort.abort();
    expect(await call).toMatchObject({ code: 'CANCELLED' });
    await pool.execute('ping');
    expect(entriesOf(path)).toEqual([]);
  });

  it('that dies fails what it held, which may have run, and is started again', async () => {
    const pool = await start({ adapter: bridge() });
    const error = await failureOf(pool.execute('leave', { status: 3 }));
    expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run', details: { exit: 'status 3' } });
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
  });

  it('that dies takes a call along that is idempotent, which runs elsewhere, and no other', async () => {
    const pool = await start({ adapter: bridge(), size: 2 });
    const path = scratch();
    for (const idempotent of [true, false]) {
      const call = pool.execute('doze', { ms: 300, path }, { idempotent });
      const seen = entriesOf(path).length;
      const pid = await waitUntil('the start', () => entriesOf(path)[seen]?.['began'] as number | undefined);
      process.kill(pid, 'SIGKILL');
      if (idempotent) expect(await call).not.toEqual({ result: pid });
      else expect(await failureOf(call)).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    }
    expect(entriesOf(path).filter((entry) => 'began' in entry)).toHaveLength(3);
  });

  it('that freezes while idle is found by its heartbeat', async () => {
    const pool = await start({ adapter: bridge(), heartbeatIntervalMs: 30, heartbeatTimeoutMs: 200 });
    const { pids } = pool.stats();
    process.kill(pids[0]!, 'SIGSTOP');
    await untilGone(pids);
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
  });

  it('that says it is not healthy is replaced', async () => {
    const pool = await start({ adapter: bridge(), heartbeatIntervalMs: 30 });
    const { pids } = pool.stats();
    await pool.execute('sicken');
    await untilGone(pids);
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
  });
});

describe('several calls at once', () => {
  it('reach a bridge only where concurrency asks for them', async () => {
    const path = scratch();
    const pool = await start({ adapter: bridge(), concurrency: 4 });
    const began = performance.now();
    await Promise.all(Array.from({ length: 4 }, () => pool.execute('doze', { ms: 400, path })));
    expect(performance.now() - began).toBeLessThan(1_200);
    const single = await start({ adapter: bridge() });
    const order = scratch();
    await Promise.all(Array.from({ length: 3 }, () => single.execute('doze', { ms: 20, path: order })));
    expect(entriesOf(order).map((entry) => Object.keys(entry)[0])).toEqual(
      Array.from({ length: 3 }, () => ['began', 'ended']).flat(),
    );
  });
});

describe('the port of a bridge', () => {
  async function listenSomewhere(): Promise<number> {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  it('is a free one of the range, and no two bridges of a host share one', async () => {
    const basePort = await listenSomewhere();
    const starts = scratch();
    const range = { basePort, portRange: 40 };
    const pool = await start({ adapter: bridge(['--starts', starts], { grpc: range }), size: 4 });
    const pids = await Promise.all(Array.from({ length: 8 }, () => pool.execute('pid')));
    expect(pids).toHaveLength(8);
    const ports = entriesOf(starts).map(({ port }) => port as number);
    expect(new Set(ports).size).toBe(4);
    for (const port of ports) {
      expect(port).toBeGreaterThan(basePort);
      expect(port).toBeLessThan(basePort + 40);
    }
  });

  it('is another one at the next try, where the bridge could not have it', async () => {
    const starts = scratch();
    const pool = await start({ adapter: bridge(['--starts', starts, '--squat', '2']) });
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
    const tried = entriesOf(starts);
    expect(new Set(tried.map(({ port }) => port)).size).toBe(3);
    expect(tried.slice(0, 2).some(({ pid }) => pidIsAlive(pid as number))).toBe(false);
    expect(pool.stats().restarts).toBe(0);
  });

  it('that is never to be had fails the start with the reason', async () => {
    const error = await failureOf(start({ adapter: bridge(['--says', '0']) }));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toMatch(/port \d+ was taken before it could listen there/);
    expect(error.message).toMatch(/command line: .*--says 0 --port \d+/);
  });

  it('that does not exist fails the start with the options to change', async () => {
    const taken = await listenSomewhere();
    const error = await failureOf(start({ adapter: bridge([], { grpc: { basePort: taken, portRange: 1 } }) }));
    expect(error.message).toContain(`no port from ${taken} to ${taken} is free`);
    expect(error.message).toContain("'grpc.basePort'");
  });

  // Who listens, only Linux tells.
  if (process.platform === 'linux')
    it('that another process shares fails the start, because calls would reach it', async () => {
      const starts = scratch();
      const error = await failureOf(start({ adapter: bridge(['--starts', starts, '--twin']) }));
      expect(error.message).toMatch(/another process listens on port \d+ too/);
      await untilGone(entriesOf(starts).map(({ pid }) => pid as number));
    });
});

describe('a bridge that does not start', () => {
  it('because it prints no line is named by the line that is missing', async () => {
    const error = await failureOf(start({ adapter: bridge(['--says', 'nothing']), startTimeoutMs: 1_000 }));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toMatch(/not ready within 1000 ms .*has not printed the line GRPC_SERVER_READY_ON_PORT=\d+/);
  });

  it('because it crashes is named by its exit and what it wrote', async () => {
    const error = await failureOf(start({ adapter: bridge(['--nonsense']) }));
    expect(error.message).toContain('status 2');
    expect(error.message).toContain('unrecognized arguments: --nonsense');
  });

  it('may serve long after it has said that it does, and know nothing of GetInfo', async () => {
    const pool = await start({ adapter: bridge(['--late', '0.5', '--info', 'none']) });
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
  });
});

describe('a host of bridges', () => {
  const hostThat = (ending: string) =>
    startHost(pathOf('test/fixtures/integration/bridge-host.mjs'), [
      ending,
      pathOf('test/fixtures/integration/ancestor_grpc_bridge.py'),
      env().PYTHONPATH,
    ]);

  it('ends by itself after close()', async () => {
    const host = hostThat('closes');
    const { pids, items } = await host.next<{ pids: number[]; items: number[] }>();
    expect(items).toEqual([0, 1, 2]);
    expect(await host.ended(5_000)).toEqual({ status: 0, signal: null, stderr: '' });
    expect(pids.some(pidIsAlive)).toBe(false);
  });

  it('that is killed takes them along, although they would never notice', async () => {
    const host = hostThat('is-killed');
    const { pids } = await host.next<{ pids: number[] }>();
    expect(pids).toHaveLength(2);
    expect(pids.every(pidIsAlive)).toBe(true);
    host.child.kill('SIGKILL');
    await untilGone(pids, 2_000);
  });
});

describe('our Python worker, served as the ancestor’s', () => {
  const TOKEN = 'a-token-of-the-team';
  const own = () =>
    custom({
      executable: 'python3',
      args: ['-m', 'snakepit_bridge.grpc', pathOf('test/fixtures/contract/commands.py')],
      env: env(),
      protocol: 'v1',
      transport: 'grpc',
    });

  it('is pooled', async () => {
    const pool = await start({ adapter: own(), size: 2 });
    expect(await pool.execute('add', { a: 1, b: 2 })).toEqual({ result: 3 });
    const items = await itemsOf(pool.stream('count', { to: 50 }));
    expect(items).toEqual(Array.from({ length: 50 }, (_, result) => ({ result })));
    expect(await failureOf(pool.execute('no_such_command'))).toMatchObject({ code: 'REMOTE_ERROR' });
  });

  it('is attached to, and lives on when its host leaves', async () => {
    const worker = await startStandalone('python', '127.0.0.1:0', TOKEN, inject('pythonPackages'));
    workers.push(worker);
    const pool = await start({ adapter: grpc({ address: worker.address, token: TOKEN, protocol: 'v1' }) });
    expect(await pool.execute('add', { a: 1, b: 2 })).toEqual({ result: 3 });
    const began = performance.now();
    await open.pop()?.close();
    expect(performance.now() - began).toBeLessThan(900);
    expect(worker.child.exitCode).toBeNull();
    const again = await start({ adapter: grpc({ address: worker.address, token: TOKEN, protocol: 'v1' }) });
    const path = scratch();
    const lost = failureOf(again.execute('block', { ms: 30_000, path }));
    await entryWith(path, 'began');
    await worker.kill();
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
  });

  it('refuses a host without its token, which says so', async () => {
    const worker = await startStandalone('python', '127.0.0.1:0', TOKEN, inject('pythonPackages'));
    workers.push(worker);
    const error = await failureOf(start({ adapter: grpc({ address: worker.address, protocol: 'v1' }) }));
    expect(error).toMatchObject({ code: 'WORKER_UNREACHABLE' });
    expect(error.message).toContain("Give 'token' what the worker was started with");
  });
});

describe('a server of another kind', () => {
  it('is refused by its services, with the protocol to take instead', async () => {
    const worker = await startStandalone('node', '127.0.0.1:0', 'token', inject('pythonPackages'));
    workers.push(worker);
    const adapter = grpc({ address: worker.address, token: 'token', protocol: 'v1' });
    const error = await failureOf(start({ adapter }));
    expect(error).toMatchObject({ code: 'WORKER_UNREACHABLE' });
    expect(error.message).toContain('serves no snakepit.SnakepitBridge');
    expect(error.message).toContain("protocol 'v2'");
  });

  it('is refused where the bridge was taken for one of protocol v2', async () => {
    const starts = scratch();
    await start({ adapter: bridge(['--starts', starts]) });
    const { port } = entriesOf(starts)[0] as { port: number };
    const error = await failureOf(start({ adapter: grpc({ address: `127.0.0.1:${port}` }) }));
    expect(error.message).toContain('serves no snakepit.v2.Worker');
    expect(error.message).toContain("protocol 'v1'");
  });
});
