import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { bridge, BRIDGE_SCRIPT, grpcEnv, usePools } from '../../support/ancestor-bridges.js';
import { startHost } from '../../support/host-script.js';
import { failureOf, received } from '../../support/outcomes.js';
import { pidIsAlive, untilGone } from '../../support/processes.js';
import { entriesOf, entryWith, useScratch } from '../../support/records.js';
import { waitUntil } from '../../support/wait-until.js';

const HOST_SCRIPT = fileURLToPath(new URL('../../fixtures/integration/bridge-host.mjs', import.meta.url));

const { start } = usePools();
const scratch = useScratch();

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
    const pool = await start({ adapter: bridge(), heartbeatIntervalMs: 30, heartbeatTimeoutMs: 500 });
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
    await Promise.all(Array.from({ length: 4 }, () => pool.execute('doze', { ms: 1_000, path })));
    const events = entriesOf(path).flatMap((entry) => Object.keys(entry));
    expect(events.slice(0, 4)).toEqual(Array(4).fill('began'));
    const single = await start({ adapter: bridge() });
    const order = scratch();
    await Promise.all(Array.from({ length: 3 }, () => single.execute('doze', { ms: 20, path: order })));
    expect(entriesOf(order).map((entry) => Object.keys(entry)[0])).toEqual(
      Array.from({ length: 3 }, () => ['began', 'ended']).flat(),
    );
  });
});

describe('a host of bridges', () => {
  const hostThat = (ending: string) => startHost(HOST_SCRIPT, [ending, BRIDGE_SCRIPT, grpcEnv().PYTHONPATH]);

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
