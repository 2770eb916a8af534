import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

import { snakepit } from './snakepit.js';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURES = join(REPOSITORY, 'test/fixtures/contracts');
const SHOP = ['types', '--python', join(FIXTURES, 'shop.py')];
const folder = mkdtempSync(join(tmpdir(), 'snakepit-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const worker = (source: string): string => {
  const path = join(folder, 'worker.py');
  writeFileSync(path, source);
  return path;
};

describe('snakepit types', () => {
  it('writes the same client each time, which compiles, and lets no wrong code compile', async () => {
    const out = join(folder, 'shop.client.ts');
    const [printed, written] = await Promise.all([snakepit(SHOP), snakepit([...SHOP, '--out', out])]);
    expect([printed.status, printed.stderr, written.status, written.stdout]).toEqual([0, '', 0, '']);
    expect(readFileSync(out, 'utf8')).toBe(printed.stdout);
    // The client that the code beside it is compiled against is the one that is written.
    const check = await snakepit([...SHOP, '--out', join(FIXTURES, 'shop.client.ts'), '--check']);
    expect([check.stderr, check.status]).toEqual(['', 0]);
    const compiler = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
    const compiled = promisify(execFile)(process.execPath, [compiler, '-p', FIXTURES]).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(await compiled).toBe('');
  }, 60_000);

  it('tells by --check what has changed, and what of it breaks callers', async () => {
    const out = join(folder, 'drift.client.ts');
    const before = worker('def run(a: int, b: str = "") -> int: ...\ndef walk(): yield 1\ndef gone(): ...\n');
    const args = ['types', '--python', before, '--name', 'DriftClient', '--pool', 'ml', '--out', out];
    expect((await snakepit(args)).status).toBe(0);
    const text = readFileSync(out, 'utf8');
    expect(text).toContain("@PoolClient({ pool: 'ml' })\nexport abstract class DriftClient {");
    expect((await snakepit([...args, '--check'])).status).toBe(0);
    worker('def run(a: str, b: str = "", c: int = 0) -> str: ...\ndef walk(): yield 1\ndef more(): ...\n');
    const { status, stderr } = await snakepit([...args, '--check']);
    expect(status).toBe(1);
    expect(stderr.split('\n').slice(0, 6)).toEqual([
      "BREAKING  run: the argument 'a' takes less, or something else: string; was number",
      'BREAKING  run: the result is another: string; was number',
      'BREAKING  run: the order of positional arguments was a, b, is a, b, c',
      'BREAKING  gone: the command is gone',
      "changed   run: the argument 'c' is new",
      'changed   more: the command is new',
    ]);
    expect(readFileSync(out, 'utf8')).toBe(text);
  }, 60_000);

  it('does not mind a formatter, and minds a change by hand', async () => {
    const out = join(folder, 'edited.client.ts');
    const args = ['types', '--python', worker('def run(a: int) -> int: ...\n'), '--out', out];
    await snakepit(args);
    const text = readFileSync(out, 'utf8');
    writeFileSync(
      out,
      text.replaceAll("'", '"').replace('Command<RunArgs, number>', 'Command<\n    RunArgs,\n    number\n  >'),
    );
    expect(await snakepit([...args, '--check'])).toMatchObject({ status: 0, stderr: '' });
    writeFileSync(out, text.replace('a: number', 'a: string'));
    const { status, stderr } = await snakepit([...args, '--check']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('it was changed by hand')]);
  }, 60_000);

  it('takes a worker out of the options of an application', async () => {
    const config = join(folder, 'pools.mjs');
    const library = join(REPOSITORY, 'libs/snakepit/dist/runtime/index.js');
    const module = JSON.stringify(join(FIXTURES, 'shop.py'));
    writeFileSync(
      config,
      `import { python } from ${JSON.stringify(library)};\nexport default { pools: { shop: { adapter: python({ module: ${module} }), size: 4 }, other: {} } };\n`,
    );
    const { status, stdout } = await snakepit(['types', '--config', config, '--pool', 'shop']);
    expect([status, stdout]).toEqual([0, expect.stringContaining("@PoolClient({ pool: 'shop' })")]);
    expect(await snakepit(['types', '--config', config])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('shop, other') as string,
    });
  }, 60_000);

  it.each([
    ['no worker', ['types'], 2, /say which worker/],
    ['nothing to check', [...SHOP, '--check'], 2, /--out/],
    ['a client that is not there', [...SHOP, '--check', '--out', join(folder, 'none.ts')], 2, /cannot be read/],
    ['a name that is none', [...SHOP, '--name', 'a b'], 2, /cannot be the name of a class/],
    ['a worker that does not start', ['types', '--python', join(FIXTURES, 'broken.py')], 4, /no model here/],
  ])('refuses %s', async (_, args, status, message) => {
    const run = await snakepit(args);
    expect([run.status, run.stdout]).toEqual([status, '']);
    expect(run.stderr).toMatch(message);
  });
});

it('is what the client of the demo was written by', async () => {
  const client = join(REPOSITORY, 'apps/demo/src/weather/weather-extremes.client.ts');
  const python = join(REPOSITORY, 'apps/demo/workers/weather_extremes.py');
  const { status, stderr } = await snakepit(['types', '--python', python, '--out', client, '--check']);
  expect([stderr, status]).toEqual(['', 0]);
});
