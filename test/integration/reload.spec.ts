import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  createSnakepit,
  node,
  python,
  subscribe,
  type LogRecord,
  type PoolOptions,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { untilGone } from '../support/processes.js';
import { waitUntil } from '../support/wait-until.js';

/** Python trusts a compiled file when size and second of the source are the same: each version has a size of its own. */
const SOURCES = {
  python: (version: number) =>
    [
      `import os`,
      `def version(): return ${version}`,
      `def worker(): return os.getpid()`,
      `#${'-'.repeat(version)}`,
    ].join('\n'),
  node: (version: number) =>
    [`export const version = () => ${version};`, `export const worker = () => process.pid;`, ''].join('\n'),
};
const FILES = { python: 'app.py', node: 'app.mjs' };

const open = new Set<Snakepit>();
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snakepit-reload-'));
});
afterEach(async () => {
  await Promise.all([...open].map((snakepit) => snakepit.close()));
  open.clear();
  rmSync(folder, { recursive: true });
});

describe.each([
  ['python', 'v1'],
  ['python', 'v2'],
  ['node', 'v1'],
  ['node', 'v2'],
] as const)('reload of %s workers over %s', (language, protocol) => {
  const modulePath = () => join(folder, FILES[language]);
  const save = (text: string) => writeFileSync(modulePath(), text);
  const saveVersion = (version: number) => save(SOURCES[language](version));

  async function start(options: Partial<PoolOptions> = {}) {
    saveVersion(1);
    const module = modulePath();
    const adapter = language === 'python' ? python({ module, protocol }) : node({ module, protocol });
    const logs: LogRecord[] = [];
    const snakepit = await createSnakepit({ adapter, size: 2, ...options }, { log: (record) => logs.push(record) });
    open.add(snakepit);
    return { pool: snakepit.pool(), snakepit, logs };
  }

  it('fails no call under full load, however often, and leaves no old worker', async () => {
    const { pool } = await start({ size: 3, recycle: { maxUnavailable: 2 }, maxQueue: 10_000 });
    const before = pool.stats().pids;
    const over = new AbortController();
    let answered = 0;
    const load = Promise.all(
      Array.from({ length: 64 }, async () => {
        while (!over.signal.aborted) {
          await pool.execute('version');
          answered += 1;
        }
      }),
    );
    let most = 0;
    const unsubscribe = subscribe('snakepit:worker', () => (most = Math.max(most, pool.stats().workers)));
    for (const version of [2, 3, 4]) {
      saveVersion(version);
      const answeredBefore = answered;
      await pool.reload();
      expect(await Promise.all(Array.from({ length: 20 }, () => pool.execute('version')))).toEqual(
        Array.from({ length: 20 }, () => version),
      );
      expect(answered).toBeGreaterThan(answeredBefore);
    }
    unsubscribe();
    over.abort();
    await load;
    expect(most).toBe(5);
    expect(pool.stats()).toMatchObject({ errors: 0, workers: 3, status: 'up', restarts: 0 });
    await untilGone(before);
  });

  it('takes sessions with strict affinity along, the calls that wait for their worker too', async () => {
    const { pool, snakepit } = await start({ size: 3, affinity: 'strict-queue' });
    const over = new AbortController();
    const sessions = ['a', 'b', 'c', 'd'];
    const answered = sessions.map(() => 0);
    const load = Promise.all(
      Array.from({ length: 12 }, async (_, n) => {
        const index = n % sessions.length;
        while (!over.signal.aborted) {
          await pool.executeInSession(sessions[index] ?? '', 'version');
          answered[index] = (answered[index] ?? 0) + 1;
        }
      }),
    );
    await pool.reload();
    const atReload = [...answered];
    const now = new Set(pool.workers().map(({ id }) => id));
    await waitUntil('more answers', () => answered.every((count, index) => count > (atReload[index] ?? 0) + 10));
    for (const session of sessions) expect(now).toContain(snakepit.sessions.lastWorkerOf(session));
    over.abort();
    await load;
    expect(pool.stats()).toMatchObject({ errors: 0, queued: 0 });
  });

  it('keeps the old workers when the new code does not start, and tells why', async () => {
    const { pool } = await start();
    const before = pool.stats().pids;
    save('this is no program');
    const error = await failureOf(pool.reload());
    expect(error.code).toBe('WORKER_START_FAILED');
    expect(error.message).toContain('SyntaxError');
    expect(pool.stats()).toMatchObject({ pids: before, status: 'up' });
    expect(await pool.execute('version')).toBe(1);
  });

  it('reloads by itself when a file is saved, keeps the old workers where that does not start, and mends', async () => {
    const { pool, logs } = await start({ watch: true });
    const said = (level: string, text: string) =>
      logs.find((record) => record.level === level && record.message.includes(text));
    saveVersion(2);
    await waitUntil('version 2', async () => (await pool.execute('version')) === 2);
    await waitUntil('the message', () => said('info', `${modulePath()} has changed; all workers were replaced`));
    save('this is no program');
    const { message } = await waitUntil('the error', () => said('error', `${modulePath()} has changed`));
    expect(message).toContain('the old ones stay');
    expect(message).toContain('SyntaxError');
    expect(await pool.execute('version')).toBe(2);
    saveVersion(3);
    await waitUntil('version 3', async () => (await pool.execute('version')) === 3);
    expect(pool.stats()).toMatchObject({ errors: 0, status: 'up' });
  });
});

describe('the option watch', () => {
  const adapterOf = (module: string) => python({ module });
  const save = (version: number, name = 'app.py') => writeFileSync(join(folder, name), SOURCES.python(version));

  it('sees files and folders below that come later, and named files of any kind, and nothing else', async () => {
    save(1);
    const settings = join(folder, 'settings.toml');
    writeFileSync(settings, 'a = 1');
    mkdirSync(join(folder, 'package'));
    const changes: string[] = [];
    const log = ({ message }: LogRecord) => {
      const [path] = message.split(' has changed; all workers were replaced');
      if (path !== message) changes.push(path ?? '');
    };
    const snakepit = await createSnakepit(
      {
        pools: {
          all: { adapter: adapterOf(join(folder, 'app.py')), size: 1, watch: true },
          named: { adapter: adapterOf(join(folder, 'app.py')), size: 1, watch: [settings] },
        },
      },
      { log },
    );
    open.add(snakepit);
    const seen = async (path: string) => {
      await waitUntil(`the reload for ${path}`, () => changes.includes(path));
      expect(changes).toEqual([path]);
      changes.length = 0;
    };
    writeFileSync(join(folder, 'data.csv'), '1;2');
    writeFileSync(settings, 'a = 2');
    await seen(settings);
    writeFileSync(join(folder, 'package', 'part.py'), 'x = 1');
    await seen(join(folder, 'package', 'part.py'));
    mkdirSync(join(folder, 'later'));
    await seen(join(folder, 'later'));
    writeFileSync(join(folder, 'later', 'part.py'), 'x = 1');
    await seen(join(folder, 'later', 'part.py'));
  });

  it.each<[string, () => PoolOptions, RegExp]>([
    [
      'a path that does not exist',
      () => ({ adapter: adapterOf(join(folder, 'app.py')), watch: [join(folder, 'nowhere')] }),
      /'watch' of pool 'default' names what cannot be watched: .*nowhere/,
    ],
    [
      'true for a module of which only Python knows where it lies',
      () => ({ adapter: python({ module: 'json' }), watch: true }),
      /'watch' of pool 'default' is true, but the adapter does not know/,
    ],
    [
      'no path',
      () => ({ adapter: adapterOf(join(folder, 'app.py')), watch: [] }),
      /'options.watch' is a list of 0; allowed is true, false, or a list of paths/,
    ],
  ])('refuses %s', async (_, options, message) => {
    save(1);
    const error = await failureOf(createSnakepit({ size: 1, ...options() }));
    expect(error.code).toBe('INVALID_OPTIONS');
    expect(error.message).toMatch(message);
  });
});
