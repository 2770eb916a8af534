import { existsSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

import { createSnakepit, grpc, node, python, type PoolOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { startHost } from '../support/host-script.js';
import { failureOf } from '../support/outcomes.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const MODULE = pathOf('integration/privileges.py');
const MB = 2 ** 20;
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

interface Facts {
  readonly uid: number;
  readonly gid: number;
  readonly command: string;
  readonly parent: number;
}

const open = new Set<Snakepit>();
afterEach(async () => {
  await Promise.all([...open].map((snakepit) => snakepit.close()));
  open.clear();
});

async function start(
  privileges: PoolOptions['privileges'],
  adapter: PoolOptions['adapter'] = python({ module: MODULE }),
) {
  const snakepit = await createSnakepit({ adapter, size: 1, privileges, restart: { initialDelayMs: 10 } });
  open.add(snakepit);
  return snakepit.pool();
}

describe.runIf(process.platform === 'linux')('privileges', () => {
  const LIMITS = { umask: 0o027, nice: 5, memoryBytes: 4096 * MB, openFiles: 128, processes: 5_000, cpuSeconds: 30 };

  it.each([
    { how: 'spawned', adapter: () => python({ module: MODULE }) },
    { how: 'spawned for protocol v1', adapter: () => python({ module: MODULE, protocol: 'v1' }) },
    { how: 'forked', adapter: () => python({ module: MODULE, zygote: true }) },
  ])('are those of a worker that is $how, and of what it starts', async ({ adapter }) => {
    const pool = await start(LIMITS, adapter());
    const facts = await pool.execute<Facts>('facts');
    const nice = getPriority() + LIMITS.nice;
    expect(facts).toMatchObject({
      ...LIMITS,
      nice,
      cpuSeconds: [30, 31],
      uid: process.getuid!(),
      gid: process.getgid!(),
    });
    // The shell that has set them is gone: the program has taken its place.
    expect(facts.command).not.toBe('sh');
    expect(await pool.execute('facts_of_child')).toEqual(['128', '0027']);
  });

  it('put no shell before a worker that has none', async () => {
    const pool = await start({});
    expect(await pool.execute<Facts>('facts')).toMatchObject({ parent: process.pid, umask: process.umask() });
  });

  it('turn a lack of memory into MemoryError, which the worker survives', async () => {
    const pool = await start({ memoryBytes: 1024 * MB });
    const [before] = pool.stats().pids;
    const error = await failureOf(pool.execute('allocate', [2048 * MB]));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', remote: { type: 'MemoryError' } });
    expect(await pool.execute('allocate', [MB])).toBe(MB);
    expect(pool.stats().pids).toEqual([before]);
  });

  it('hold a worker to its open files', async () => {
    const pool = await start({ openFiles: 64 });
    const error = await failureOf(pool.execute('open_many', [100]));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', remote: { type: 'OSError' } });
    expect(error.message).toMatch(/Too many open files/);
  });

  it('end a worker that has used up its CPU time, say so, and replace it', async () => {
    const pool = await start({ cpuSeconds: 1 });
    const error = await failureOf(pool.execute('burn', [30]));
    expect(error.code).toBe('WORKER_EXITED');
    expect(error.message).toMatch(/signal SIGXCPU \(it has used up its CPU time, privileges\.cpuSeconds\)/);
    await waitUntil('another worker', () => pool.status === 'up');
    expect(await pool.execute('allocate', [1])).toBe(1);
  });

  it('that the system refuses fail the start, which says which', async () => {
    const error = await failureOf(start({ openFiles: 2 ** 31 - 1 }));
    expect(error.code).toBe('WORKER_START_FAILED');
    expect(error.message).toMatch(/the system refuses privileges\.openFiles = 2147483647/);
  });

  describe.runIf(isRoot)('of another user, given by a host that is root,', () => {
    const adapters = {
      // Root's own interpreter may be where nobody else may look.
      python: (zygote: boolean) => python({ module: MODULE, zygote, interpreter: '/usr/bin/python3', codec: 'json' }),
    };

    it.each([false, true])('are those of Python workers (zygote: %s)', async (zygote) => {
      const pool = await start({ uid: NOBODY, gid: NOBODY, umask: 0o077 }, adapters.python(zygote));
      const facts = await pool.execute<Facts>('facts');
      expect(facts).toMatchObject({ uid: NOBODY, gid: NOBODY, groups: [], umask: 0o077 });
    });

    it.each(['fd', 'grpc'] as const)('are those of Node workers (transport: %s)', async (transport) => {
      const module = pathOf('contract/commands.js');
      const pool = await start({ uid: NOBODY, gid: NOBODY }, node({ module, transport }));
      expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
      const status = readFileSync(`/proc/${pool.stats().pids[0]}/status`, 'utf8');
      expect(status).toMatch(new RegExp(`^Uid:\\t${NOBODY}\\t${NOBODY}\\t${NOBODY}`, 'm'));
      expect(status).toMatch(new RegExp(`^Gid:\\t${NOBODY}\\t${NOBODY}\\t${NOBODY}`, 'm'));
    });

    it('hold a worker to the number of processes of its user', async () => {
      const other = 54_321;
      const pool = await start({ uid: other, gid: other, processes: 3 }, adapters.python(false));
      const error = await failureOf(pool.execute('fork_many', [8]));
      expect(error).toMatchObject({ code: 'REMOTE_ERROR', remote: { type: 'BlockingIOError' } });
    });
  });
});

/** The control group that this process is in, by version: where a group with less memory can be made in it. */
function memoryGroup(): { readonly folder: string; readonly limit: string } | undefined {
  if (!isRoot || process.platform !== 'linux') return undefined;
  const groups = readFileSync('/proc/self/cgroup', 'utf8');
  const v1 = /^\d+:memory:(.*)$/m.exec(groups)?.[1];
  const v2 = /^0::(.*)$/m.exec(groups)?.[1];
  const found =
    v1 === undefined
      ? { folder: `/sys/fs/cgroup${v2}`, limit: 'memory.max' }
      : { folder: `/sys/fs/cgroup/memory${v1}`, limit: 'memory.limit_in_bytes' };
  try {
    const folder = mkdtempSync(`${found.folder}/snakepit-test-`);
    const canLimit = existsSync(`${folder}/${found.limit}`);
    rmdirSync(folder);
    return canLimit ? found : undefined;
  } catch {
    return undefined;
  }
}

const group = memoryGroup();
it.runIf(group !== undefined)(
  'tells a worker that the system killed for lack of memory from one that somebody killed',
  async () => {
    const { folder, limit } = group!;
    const small = mkdtempSync(`${folder}/snakepit-test-`);
    try {
      writeFileSync(`${small}/${limit}`, String(256 * MB));
      const host = startHost(pathOf('integration/out-of-memory-host.mjs'), [small, MODULE]);
      const error = await host.next<{ code: string; message: string }>();
      expect(error.code).toBe('WORKER_EXITED');
      expect(error.message).toMatch(/signal SIGKILL \(killed by the system for lack of memory\)/);
      expect(await host.ended(5_000)).toMatchObject({ status: 0 });
    } finally {
      await waitUntil('an empty group', () => readFileSync(`${small}/cgroup.procs`, 'utf8') === '');
      rmdirSync(small);
    }
  },
);

it('refuses privileges for workers that somebody else starts', async () => {
  await expect(start({ nice: 1 }, grpc({ address: '127.0.0.1:9' }))).rejects.toThrow(
    /'privileges' of pool 'default' cannot be given: its workers are attached/,
  );
});

it.each([
  [{ uid: 1_000 }, /'options\.pools\.default\.privileges\.uid' is 1000; without 'gid'/],
  [{ umask: 0o1000 }, /privileges\.umask' is 512; allowed is an integer from 0 to 511/],
  [{ memoryBytes: 1 }, /privileges\.memoryBytes' is 1; allowed is an integer from/],
  [{ memory: 1 }, /unknown key 'options\.privileges\.memory'/],
])('refuses %j', async (privileges, message) => {
  await expect(start(privileges)).rejects.toThrow(message);
});
