import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  node,
  python,
  type LogRecord,
  type NodeOptions,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf, failureWithStacks } from '../support/outcomes.js';
import { sendSignal, untilGone } from '../support/processes.js';
import { entriesOf, entryWith, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const module = fileURLToPath(new URL('../fixtures/integration/hangs.py', import.meta.url));
const nodeModule = fileURLToPath(new URL('../fixtures/integration/hangs.js', import.meta.url));
const NODE_CHANNELS: Array<[string, Partial<NodeOptions>]> = [
  ['v2', {}],
  ['v1', { protocol: 'v1' }],
  ['gRPC', { transport: 'grpc' }],
];

/** What one worker has written to the log. */
function linesOf(worker: unknown, logs: readonly LogRecord[]): string {
  return logs.flatMap((record) => (record.worker === worker ? record.message : [])).join('\n');
}

/** Calls a worker that is ready: the time of the call is for its command. */
async function late(pool: PoolService, command: string, args: object): Promise<unknown> {
  await pool.execute('pid');
  return await pool.execute(command, args, { timeoutMs: 200 });
}

describe('a command that hangs', () => {
  const scratch = useScratch();
  const open = new Set<Snakepit>();
  afterEach(async () => {
    await Promise.all([...open].map((snakepit) => snakepit.close()));
    open.clear();
  });

  async function start(options: Partial<PoolOptions> = {}) {
    const logs: LogRecord[] = [];
    const adapter = python({ module, path: [inject('pythonPackages')] });
    const defaults = { adapter, size: 1, cancelGraceMs: 150, killGraceMs: 150 };
    const snakepit = await createSnakepit({ ...defaults, ...options }, { log: (record) => logs.push(record) });
    open.add(snakepit);
    return { pool: snakepit.pool(), logs };
  }

  it.each(['hang', 'spin', 'hold_gil'])('shows by the stacks of its worker where: %s', async (command) => {
    const { pool, logs } = await start();
    const path = scratch();
    const where = new RegExp(`hangs\\.py", line \\d+ in ${command === 'hang' ? 'innermost_of_the_hang' : command}`);
    const error = await failureWithStacks(() => late(pool, command, { path }), where);
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    const stacks = String(error.details['workerStacks']);
    expect(stacks).toMatch(where);
    expect(stacks).toContain('most recent call first');
    expect(linesOf(error.details['worker'], logs)).not.toContain('most recent call first');
    expect(JSON.stringify(error)).not.toContain('hangs.py');
  });

  it.each(['json', 'msgpack', 'auto'] as const)('shows it over protocol v1 too, with codec %s', async (codec) => {
    const adapter = python({ module, path: [inject('pythonPackages')], protocol: 'v1', codec });
    const { pool } = await start({ adapter });
    const path = scratch();
    const where = /hangs\.py", line \d+ in hold_gil/;
    const error = await failureWithStacks(() => late(pool, 'hold_gil', { path }), where);
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    expect(error.details['workerStacks']).toMatch(where);
  });

  describe.each(NODE_CHANNELS)('in a Node worker over %s', (_, options) => {
    const startNode = (more: Partial<NodeOptions> = {}, pool: Partial<PoolOptions> = {}) =>
      start({ adapter: node({ module: nodeModule, ...options, ...more }), ...pool });

    it.each([
      ['spin', /hangs\.js", line \d+ in innermostOfTheSpin\n {2}File "[^"]*hangs\.js", line \d+ in spin\n/],
      ['match', /hangs\.js", line \d+ in match\n/],
      ['native', /in native code, which did not return/],
    ])('shows by the stack of its main thread where: %s', async (command, where) => {
      // The stack comes by way of V8's inspector, which takes its time on a busy machine.
      const { pool, logs } = await startNode({}, { cancelGraceMs: 1_000 });
      const path = scratch();
      const error = await failureWithStacks(() => late(pool, command, { path }), where);
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
      expect(error.details['workerStacks']).toMatch(/^Thread 0x0 \[main\] \(most recent call first\):\n/);
      expect(error.details['workerStacks']).toMatch(where);
      expect(linesOf(error.details['worker'], logs)).not.toContain('most recent call first');
    });

    it.each(['spin', 'native'])(
      'goes on as if nothing had been, where it ends in time after all: %s',
      async (command) => {
        const { pool } = await startNode({}, { cancelGraceMs: 2_000 });
        const [before] = pool.stats().pids;
        const call = () => late(pool, command, { seconds: 1.2 });
        expect((await failureWithStacks(call, /most recent call first/)).details).toHaveProperty('workerStacks');
        expect(await pool.execute('pid')).toBe(before);
        expect(await pool.execute('native', { seconds: 0.05 })).toBe('woke');
      },
    );

    it('shows no stacks while a debugger may be attached', async () => {
      const { pool } = await startNode({ interpreterArgs: ['--inspect=127.0.0.1:0'] });
      const error = await failureOf(pool.execute('spin', { path: scratch() }, { timeoutMs: 200 }));
      expect(error.code).toBe('CALL_TIMEOUT');
      expect(error.details).not.toHaveProperty('workerStacks');
    });
  });

  it('that waits shows the event loop, where it cannot be cancelled', async () => {
    const { pool } = await start({ adapter: node({ module: nodeModule, protocol: 'v1' }) });
    const where = /in the event loop: no command runs JavaScript/;
    const wait = () => late(pool, 'wait', { path: scratch() });
    expect((await failureWithStacks(wait, where)).details['workerStacks']).toMatch(where);
  });

  it.each(NODE_CHANNELS)(
    'is CALL_TIMEOUT where its grace is over before the stacks are there, over %s',
    async (_, options) => {
      const { pool } = await start({ adapter: node({ module: nodeModule, ...options }), cancelGraceMs: 1 });
      for (let round = 0; round < 5; round += 1) {
        const error = await failureOf(pool.execute('wait', { path: scratch() }, { timeoutMs: 100 }));
        expect(error).toMatchObject({ code: 'CALL_TIMEOUT', details: { timeoutMs: 100 } });
      }
    },
  );

  it('shows no stacks where the module wants the signal for itself, which it does not get', async () => {
    const { pool } = await start({ env: { TAKES_SIGUSR1: '1' } });
    const path = scratch();
    const error = await failureOf(pool.execute('hang', { path }, { timeoutMs: 200 }));
    expect(error.code).toBe('CALL_TIMEOUT');
    expect(error.details).not.toHaveProperty('workerStacks');
    expect(entriesOf(path).some((entry) => 'signal' in entry)).toBe(false);
  });

  it('gives back the calls behind it that were not begun, and they run elsewhere', async () => {
    const { pool } = await start({ pipelineBudgetUs: 1_000_000 });
    const path = scratch();
    // Short ones, so that the pool puts calls behind each other.
    for (let n = 0; n < 300; n += 1) {
      await pool.execute('hang', { path: null, seconds: 0 });
      await pool.execute('quick', { path: null, name: n });
    }
    const stuck = failureOf(pool.execute('hang', { path: `${path}-hang` }, { timeoutMs: 1_500 }));
    const behind = [1, 2, 3].map((name) => pool.execute('quick', { path, name }));
    await entryWith(`${path}-hang`, 'began');
    expect(pool.stats().inFlight).toBe(4);
    expect(await stuck).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    expect(await Promise.all(behind)).toEqual([1, 2, 3]);
    const ran = entriesOf(path).filter((entry) => 'ran' in entry);
    expect(ran).toHaveLength(3);
  });

  it('takes with it, as WORKER_LOST, what had begun beside it', async () => {
    const { pool } = await start({ concurrency: 2 });
    const path = scratch();
    const beside = failureOf(pool.execute('quick_later', { path, name: 'beside' }));
    await entryWith(path, 'ran');
    const stuck = failureOf(pool.execute('hang', { path }, { timeoutMs: 1_000 }));
    expect((await stuck).code).toBe('CALL_TIMEOUT');
    expect(await beside).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run', retryable: true });
  });

  it('is replaced before its worker is dead, where that does not mind SIGTERM', async () => {
    const { pool } = await start({ killGraceMs: 5_000 });
    const path = scratch();
    const [before] = pool.stats().pids;
    await failureOf(pool.execute('hold_gil', { path }, { timeoutMs: 1_000 }));
    expect(await pool.execute('pid')).not.toBe(before);
    sendSignal(before, 'SIGKILL');
    await untilGone([before ?? 0]);
    await waitUntil('the old one forgotten', () => pool.stats().workers === 1);
    expect(pool.stats()).toMatchObject({ restarts: 1, status: 'up' });
  });

  it('while it holds the GIL misses its heartbeat: WORKER_LOST', async () => {
    const { pool } = await start({ heartbeatIntervalMs: 30, heartbeatTimeoutMs: 500 });
    const path = scratch();
    const error = await failureOf(pool.execute('hold_gil', { path }));
    expect(error).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
    expect(typeof (await pool.execute('pid'))).toBe('number');
  });

  it('in Python code keeps answering its heartbeat, and only its deadline ends it', async () => {
    const { pool } = await start({ heartbeatIntervalMs: 20, heartbeatTimeoutMs: 2_000 });
    const path = scratch();
    const [before] = pool.stats().pids;
    await pool.execute('spin', { path, seconds: 4 });
    expect(pool.stats().pids).toEqual([before]);
  });
});
