import { existsSync, readFileSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  python,
  type LogRecord,
  type PoolOptions,
  type PoolService,
  type PythonOptions,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { startHost } from '../support/host-script.js';
import { failureOf } from '../support/outcomes.js';
import { pidIsAlive, untilGone } from '../support/processes.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

interface Facts {
  readonly pid: number;
  readonly group: number;
  readonly importedBy: number;
  readonly worker: string;
  readonly secret: string | null;
  readonly threads: string[];
  readonly descriptors: number[];
  readonly random: number;
}

describe.runIf(process.platform === 'linux')('a pool with a zygote', () => {
  const open = new Set<Snakepit>();
  let logs: LogRecord[] = [];
  afterEach(async () => {
    await Promise.all([...open].map((snakepit) => snakepit.close()));
    open.clear();
    logs = [];
  });

  async function start(adapter: Partial<PythonOptions> = {}, options: Partial<PoolOptions> = {}) {
    const module = pathOf('integration/forked.py');
    const snakepit = await createSnakepit(
      { adapter: python({ module, zygote: true, ...adapter }), size: 2, ...options },
      { log: (record) => logs.push(record) },
    );
    open.add(snakepit);
    return snakepit.pool();
  }

  const processes = async (pool: PoolService) => (await pool.memory())?.processes ?? [];
  const zygoteOf = async (pool: PoolService) => {
    const zygote = (await processes(pool)).find(({ id }) => id.endsWith('-zygote'));
    if (zygote === undefined) throw new Error('the pool has no zygote');
    return zygote.pid;
  };
  const doorOf = (pid: number) => {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return environment.find((entry) => entry.startsWith('SNAKEPIT_DOOR='))!.slice('SNAKEPIT_DOOR='.length);
  };
  /** One worker's facts each, by their pids. */
  async function factsOfAll(pool: PoolService): Promise<Facts[]> {
    const found = new Map<number, Facts>();
    await waitUntil('facts of all workers', async () => {
      const batch = await Promise.all(pool.workers().map(() => pool.execute<Facts>('facts')));
      for (const facts of batch) found.set(facts.pid, facts);
      return found.size >= pool.workers().length;
    });
    return [...found.values()];
  }
  const untilFull = (pool: PoolService) => waitUntil('full size', () => pool.status === 'up');

  it('forks 16 workers that share what was imported and nothing else', async () => {
    const pool = await start({}, { size: 16 });
    const zygote = await zygoteOf(pool);
    const facts = await factsOfAll(pool);
    const spawned = await (await start({ zygote: false }, { size: 1 })).execute<Facts>('facts');
    expect(new Set(facts.map(({ importedBy }) => importedBy))).toEqual(new Set([zygote]));
    for (const each of facts) {
      expect(each).toMatchObject({ group: each.pid, secret: null, threads: ['MainThread'] });
      expect(each.descriptors).toEqual(spawned.descriptors);
    }
    expect(new Set(facts.map(({ random }) => random)).size).toBe(16);
    expect(facts.map(({ worker }) => worker).toSorted()).toEqual(
      pool
        .workers()
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  it('logs what a worker prints as that worker’s, and runs its exit handlers', async () => {
    const pool = await start();
    const { worker } = await pool.execute<Facts>('facts');
    await pool.executeInSession('s', 'say', { text: 'hello' });
    const speaker = await waitUntil('both lines', () => {
      const lines = logs.filter(({ message }) => message === 'hello');
      return lines.length === 2 ? lines : undefined;
    });
    expect(speaker.map(({ level }) => level).toSorted()).toEqual(['info', 'warn']);
    expect(new Set(speaker.map((line) => line.worker)).size).toBe(1);
    await pool.restart(worker);
    expect(logs).toContainEqual(expect.objectContaining({ worker, message: 'at exit', level: 'info' }));
  });

  it.each([
    {
      what: 'status',
      end: async (pool: PoolService) => failureOf(pool.execute('leave', { status: 7 })),
      exit: 'status 7',
    },
    {
      what: 'signal',
      end: async (pool: PoolService) => {
        const call = failureOf(pool.execute('wait', { seconds: 60 }));
        await waitUntil('the call', () => pool.stats().inFlight === 1);
        for (const { pid } of pool.workers()) process.kill(pid!, 'SIGKILL');
        return call;
      },
      exit: expect.stringMatching(/^signal SIGKILL \(not sent by this host/) as string,
    },
  ])('tells the $what by which a worker ended, and forks another', async ({ end, exit }) => {
    const pool = await start({}, { size: 1 });
    const zygote = await zygoteOf(pool);
    const error = await end(pool);
    expect(error.details).toMatchObject({ exit });
    await waitUntil('another worker', () => pool.status === 'up' && pool.stats().restarts === 1);
    expect((await pool.execute<Facts>('facts')).importedBy).toBe(zygote);
  });

  it('loses no call when its zygote is killed, spawns meanwhile, and forks again from the next', async () => {
    const pool = await start();
    const zygote = await zygoteOf(pool);
    const before = pool.stats().pids;
    const calls = Promise.all([1, 2].map(() => pool.execute('wait', { seconds: 0.3 })));
    process.kill(zygote, 'SIGKILL');
    await calls;
    expect(pool.stats().pids).toEqual(before);
    const successor = await waitUntil('another zygote', async () => {
      const found = (await processes(pool)).find(({ id, pid }) => id.endsWith('-zygote') && pid !== zygote);
      return found?.pid;
    });
    expect(
      logs.filter(({ message }) => /the zygote ended \(signal SIGKILL \(not sent by this host/.test(message)),
    ).toHaveLength(1);

    const error = await failureOf(pool.execute('leave', { status: 7 }));
    expect(error.details['exit']).toMatch(/^status unknown/);
    await untilFull(pool);
    await pool.reload();
    expect(new Set((await factsOfAll(pool)).map(({ importedBy }) => importedBy)).has(zygote)).toBe(false);
    await untilGone([zygote, successor, ...before]);
  });

  it('spawns what its zygote was told to fork, but did not live to', async () => {
    const pool = await start();
    const zygote = await zygoteOf(pool);
    process.kill(zygote, 'SIGKILL');
    pool.resize(6);
    await pool.ready(5_000);
    const importers = (await factsOfAll(pool)).map(({ pid, importedBy }) =>
      importedBy === pid ? 'itself' : importedBy,
    );
    expect(importers.toSorted()).toEqual([zygote, zygote, ...Array.from({ length: 4 }, () => 'itself')]);
    expect(logs.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('replaces a zygote that is stopped when it is to fork, and spawns what that did not fork', async () => {
    const pool = await start();
    const zygote = await zygoteOf(pool);
    process.kill(zygote, 'SIGSTOP');
    pool.resize(4);
    await pool.ready(8_000);
    await untilGone([zygote]);
    expect(logs.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'it was to fork and said nothing for 2000 ms; it is killed and replaced',
    ]);
    await waitUntil('another zygote', async () => (await processes(pool)).some(({ id }) => id.endsWith('-zygote')));
  });

  it('closes, and spawns nothing more, while workers wait for a zygote that is stopped', async () => {
    const pool = await start({}, { killGraceMs: 100 });
    const pids = (await processes(pool)).map(({ pid }) => pid);
    process.kill(await zygoteOf(pool), 'SIGSTOP');
    pool.resize(4);
    const snakepit = [...open][0]!;
    await snakepit.close();
    await untilGone(pids);
    expect(pool.workers()).toEqual([]);
  });

  it('ends workers of a killed zygote like any others', async () => {
    const pool = await start({}, { killGraceMs: 100 });
    const { pids } = pool.stats();
    process.kill(await zygoteOf(pool), 'SIGKILL');
    await waitUntil('the notice', () => logs.some(({ message }) => message.startsWith('the zygote ended')));
    for (const { id } of pool.workers()) await pool.restart(id);
    await untilGone(pids);
    await untilFull(pool);
  });

  it('imports everything anew for reload()', async () => {
    const pool = await start();
    const zygote = await zygoteOf(pool);
    await pool.reload();
    const importers = new Set((await factsOfAll(pool)).map(({ importedBy }) => importedBy));
    expect(importers.size).toBe(1);
    expect(importers.has(zygote)).toBe(false);
    await untilGone([zygote]);
  });

  it('leaves the module to the workers where preloadModule is off', async () => {
    const pool = await start({ zygote: { preload: ['decimal'], preloadModule: false } });
    for (const { pid, importedBy } of await factsOfAll(pool)) expect(importedBy).toBe(pid);
  });

  it('keeps its door from others, and removes it with the pool', async () => {
    const pool = await start();
    const zygote = await zygoteOf(pool);
    const door = doorOf(zygote);
    expect(statSync(dirname(door)).mode & 0o777).toBe(0o700);
    expect(statSync(door).mode & 0o777).toBe(0o600);
    for (const words of ['no token at all\n', `${'0'.repeat(32)} channel\n`, 'x'.repeat(1_000)]) {
      const stranger = createConnection(door).on('error', () => {});
      stranger.end(words).resume();
      await new Promise((resolve) => void stranger.once('close', resolve));
    }
    const snakepit = [...open][0]!;
    await snakepit.close();
    expect(existsSync(dirname(door))).toBe(false);
    await untilGone([zygote]);
  });

  it.each([
    {
      what: 'the module cannot be imported',
      options: { module: pathOf('integration/broken_import.py') },
      says: [/numpie_that_is_not_installed/, /snakepit_bridge\.zygote/, /status 1/],
    },
    {
      what: 'the module leaves with a status',
      options: { module: pathOf('integration/exit_at_import.py') },
      says: [/SystemExit: 9/, /status 9/],
    },
    {
      what: 'the module leaves with a status, imported by the workers,',
      options: { module: pathOf('integration/exit_at_import.py'), zygote: { preloadModule: false } },
      says: [/SystemExit: 9/, /status 9/],
    },
    {
      what: 'a module to preload does not exist',
      options: { zygote: { preload: ['numpie'] } },
      says: [/No module named 'numpie'/, /--preload numpie/],
    },
    {
      what: 'the module starts a thread',
      options: { module: pathOf('integration/thread_at_import.py') },
      says: [/thread_at_import\.py started a thread when it was imported \(poller\)/, /@on_start/],
    },
  ])('does not start when $what, and says why', async ({ options, says }) => {
    const error = await failureOf(start(options));
    expect(error.code).toBe('WORKER_START_FAILED');
    for (const each of says) expect(error.message).toMatch(each);
  });

  it('leaves no process and no door within 2 s when its host is killed', async () => {
    const host = startHost(pathOf('integration/zygote-host.mjs'), [pathOf('contract/commands.py')]);
    const { pids, grandchild } = await host.next<{ pids: number[]; grandchild: number }>();
    expect(pids).toHaveLength(3);
    const door = doorOf(pids.at(-1)!);
    expect(pids.every(pidIsAlive)).toBe(true);
    host.child.kill('SIGKILL');
    await untilGone([...pids, grandchild], 2_000);
    await waitUntil('no door', () => !existsSync(dirname(door)), 5_000);
  });
});

it('refuses a zygote with protocol v1', () => {
  expect(() => python({ module: './a.py', zygote: true, protocol: 'v1' })).toThrow(
    /'python\.zygote' needs protocol 'v2'/,
  );
});
