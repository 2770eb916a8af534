import { mkdirSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  custom,
  ERRORS,
  go,
  grpc,
  isSnakepitError,
  python,
  type ErrorCode,
  type PoolOptions,
  type Snakepit,
  type SnakepitError,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { sendSignal } from '../support/processes.js';
import { entryWith, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const commands = (options: Partial<Parameters<typeof python>[0]> = {}) =>
  python({ module: pathOf('contract/commands.py'), path: [inject('pythonPackages')], ...options });

const open = new Set<Snakepit>();
async function start(options: Partial<PoolOptions> = {}, sessions = {}): Promise<Snakepit> {
  const pool = { adapter: commands(), size: 1, cancelGraceMs: 100, killGraceMs: 100, ...options };
  const snakepit = await createSnakepit({ pools: { default: pool }, sessions });
  open.add(snakepit);
  return snakepit;
}

async function poolOf(options: Partial<PoolOptions> = {}) {
  return (await start(options)).pool();
}

/** What a call that cannot start, such as a wrong option, throws. */
function thrownBy(act: () => unknown): Promise<SnakepitError> {
  return failureOf((async () => act())());
}

/** How to meet each error: by real workers, and through the public interface alone. */
const PROVOKED: Record<ErrorCode, (path: string) => Promise<SnakepitError>> = {
  INVALID_OPTIONS: () => failureOf(createSnakepit({ adapter: commands(), size: 0 })),
  MISUSE: async () => {
    const adapter = { ...commands(), commandTimeoutMs: () => Number.NaN };
    return failureOf((await poolOf({ adapter })).execute('nothing'));
  },
  INTERPRETER_NOT_FOUND: () => failureOf(start({ adapter: commands({ interpreter: '/no/such/python' }) })),
  ENVIRONMENT_FAILED: (path) => {
    // What is not at hand must fail at once, not after asking a network.
    vi.stubEnv('PIP_NO_INDEX', '1');
    const requirements = ['no-such-package-of-snakepit==9.9'];
    return failureOf(start({ adapter: commands({ requirements, manager: 'pip', environments: path }) }));
  },
  BUILD_FAILED: (path) => {
    const folder = `${path}-go`;
    mkdirSync(folder);
    writeFileSync(`${folder}/go.mod`, 'module broken\n\ngo 1.21\n');
    writeFileSync(`${folder}/main.go`, 'package main\n\nvar total int = "text"\n\nfunc main() {}\n');
    return failureOf(start({ adapter: go({ package: folder, builds: path }) }));
  },
  WORKER_UNREACHABLE: () => {
    const adapter = grpc({ address: '127.0.0.1:1', token: 'x'.repeat(32) });
    return failureOf(start({ adapter, startTimeoutMs: 2_000 }));
  },
  WORKER_START_FAILED: () => failureOf(start({ adapter: python({ module: pathOf('integration/exit_at_import.py') }) })),
  POOL_NOT_FOUND: async () => {
    const snakepit = await start();
    return thrownBy(() => snakepit.pool('other'));
  },
  POOL_NOT_READY: async () => {
    const pool = await poolOf();
    sendSignal(pool.stats().pids[0], 'SIGKILL');
    await waitUntil('the death', () => pool.status === 'down');
    return failureOf(pool.ready(1));
  },
  POOL_CLOSED: async () => {
    const snakepit = await start();
    const pool = snakepit.pool();
    await snakepit.close();
    return failureOf(pool.execute('nothing'));
  },
  POOL_SATURATED: async () => {
    const pool = await poolOf({ maxQueue: 0 });
    const running = pool.execute('doze', { ms: 200 });
    const error = await failureOf(pool.execute('doze', { ms: 1 }));
    await running;
    return error;
  },
  QUEUE_TIMEOUT: async () => {
    const pool = await poolOf({ queueTimeoutMs: 50 });
    const running = pool.execute('doze', { ms: 300 });
    const error = await failureOf(pool.execute('doze', { ms: 1 }));
    await running;
    return error;
  },
  CALL_TIMEOUT: async () => failureOf((await poolOf()).execute('doze', { ms: 30_000 }, { timeoutMs: 50 })),
  CANCELLED: async (path) => {
    const abort = new AbortController();
    const call = failureOf((await poolOf()).execute('until_cancelled', { path }, { signal: abort.signal }));
    await entryWith(path, 'began');
    abort.abort();
    return call;
  },
  WORKER_EXITED: async () => failureOf((await poolOf()).execute('leave', { status: 3 })),
  WORKER_LOST: async (path) => {
    const pool = await poolOf({ heartbeatIntervalMs: 30, heartbeatTimeoutMs: 500 });
    const call = failureOf(pool.execute('block', { ms: 30_000, path }));
    await entryWith(path, 'began');
    sendSignal(pool.stats().pids[0], 'SIGSTOP');
    return call;
  },
  COMMAND_TAINTED: async () => {
    const pool = await poolOf({ taint: { deaths: 1 } });
    await failureOf(pool.execute('kill_self', { name: 'SIGSEGV' }));
    return failureOf(pool.execute('kill_self', { name: 'SIGSEGV' }));
  },
  UNKNOWN_COMMAND: async () => failureOf((await poolOf()).execute('no_such_command')),
  INVALID_ARGUMENTS: async () => failureOf((await poolOf()).execute('add', { a: 1, c: 2 })),
  INVALID_RESULT: async () => failureOf((await poolOf()).execute('unserializable')),
  REMOTE_ERROR: async () => failureOf((await poolOf()).execute('fail', { message: 'no' })),
  PROTOCOL_ERROR: async () => {
    const adapter = custom({
      executable: 'python3',
      script: pathOf('integration/raw_v2.py'),
      args: ['well'],
      protocol: 'v2',
    });
    return failureOf((await poolOf({ adapter })).execute('bad', { how: 'unknown-id' }));
  },
  FRAME_TOO_LARGE: async () =>
    failureOf((await poolOf({ maxFrameBytes: 65_536 })).execute('same', { value: 'x'.repeat(100_000) })),
  INPUT_FAILED: async () => {
    const input = new Readable({ read: () => input.destroy(new Error('the disk is on fire')) });
    const adapter = python({ module: pathOf('inputs/commands.py') });
    return failureOf((await poolOf({ adapter })).execute('digest', null, { input }));
  },
  UNSUPPORTED: async () => {
    const pool = await poolOf({ adapter: commands({ protocol: 'v1' }) });
    return failureOf(pool.execute('nothing', null).then(() => firstOf(pool.stream('count', { to: 1 }))));
  },
  SESSION_NOT_FOUND: async () => failureOf((await start()).sessions.get('nobody')),
  SESSION_EXISTS: async () => {
    const { sessions } = await start();
    await sessions.create('s');
    return failureOf(sessions.create('s'));
  },
  SESSION_LIMIT: async () => {
    const { sessions } = await start({}, { maxSessions: 1 });
    await sessions.create('s');
    return failureOf(sessions.create('t'));
  },
  SESSION_WORKER_UNAVAILABLE: async () => {
    const pool = await poolOf({ size: 2, affinity: 'strict-fail-fast' });
    await pool.executeInSession('s', 'nothing');
    const running = pool.executeInSession('s', 'doze', { ms: 300 });
    const error = await failureOf(pool.executeInSession('s', 'doze', { ms: 1 }));
    await running;
    return error;
  },
  NESTED_TOO_DEEP: () => failureOfNested({ maxDepth: 0 }),
  NESTED_DEADLOCK: () => failureOfNested({ maxExtraWorkers: 0 }),
};

/** What a tool meets that calls the pool whose only worker waits for it. */
async function failureOfNested(nested: PoolOptions['nested']): Promise<SnakepitError> {
  const snakepit = await start({ nested });
  const pool = snakepit.pool();
  let met: Promise<SnakepitError> | undefined;
  snakepit.tools.register('again', () => (met = failureOf(pool.execute('nothing'))).then(() => null));
  await pool.execute('call_tool', { name: 'again', args: null });
  return met!;
}

function firstOf(stream: { subscribe(observer: object): unknown }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    stream.subscribe({ next: resolve, complete: () => resolve(undefined), error: reject });
  });
}

describe('every error of the table is met by real workers:', () => {
  const scratch = useScratch();
  afterEach(async () => {
    await Promise.all([...open].map((snakepit) => snakepit.close()));
    open.clear();
    vi.unstubAllEnvs();
  });

  it('none is left out', () => {
    expect(Object.keys(PROVOKED).toSorted()).toEqual(Object.keys(ERRORS).toSorted());
  });

  // Making a Python environment, be it in vain, takes seconds.
  it.each(Object.entries(PROVOKED))('%s', { timeout: 60_000 }, async (code, provoke) => {
    const error = await provoke(scratch());
    expect(error.code, error.message).toBe(code);
    expect(isSnakepitError(error, code as ErrorCode)).toBe(true);
    expect(error.message).not.toMatch(/undefined|\[object/);
    for (const snakepit of open) {
      const pool = snakepit.pool();
      if (code === 'POOL_CLOSED') continue;
      await waitUntil('a whole pool', () => pool.status === 'up');
    }
  });
});
