import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, describe, expect, it } from 'vitest';

import { snakepit } from './snakepit.js';

const cwd = mkdtempSync(join(tmpdir(), 'snakepit-new-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

/** Lines of what was printed, below a heading, without their indentation. */
function below(heading: string, text: string): string[] {
  const section = text.slice(text.indexOf(`${heading}:\n`) + heading.length + 2);
  return section.slice(0, section.indexOf('\n\n')).trim().split(/\n\s*/);
}

describe.concurrent('snakepit new worker', () => {
  it.each([
    ['python', 'prices-eu', ['prices_eu.py', 'test_prices_eu.py']],
    ['node', 'prices_us', ['prices-us.mjs', 'prices-us.test.mjs']],
    ['ruby', 'prices-eu', ['prices_eu.rb', 'test_prices_eu.rb']],
    ['go', 'prices-eu', ['prices-eu']],
    ['r', 'prices-eu', ['prices_eu.R', 'test_prices_eu.R']],
  ])(
    'writes one in %s that runs, is tested, and can be tried as it says',
    async (lang, name, files) => {
      const dir = `workers-${lang}`;
      const { status, stdout, stderr } = await snakepit(['new', 'worker', name, '--lang', lang, '--dir', dir], { cwd });
      expect([status, stderr]).toEqual([0, '']);
      expect(readdirSync(join(cwd, dir)).toSorted()).toEqual(files);

      const [command, stream] = below('Try it', stdout).map((line) => {
        const [, words, json] = /^npx snakepit (.*) '(.*)'$/.exec(line)!;
        return words!.split(' ').concat(json!);
      });
      const [test] = below('Test it', stdout);
      const [called, streamed] = await Promise.all([
        snakepit(command!, { cwd }),
        snakepit(stream!, { cwd }),
        promisify(execFile)('sh', ['-c', test!], { cwd }),
      ]);
      expect(JSON.parse(called.stdout)).toEqual({ count: 3, total: 9, mean: 3 });
      expect(streamed.stdout).toBe('1\n3\n9\n');
      expect(stdout).toMatch(new RegExp(`forRoot\\(${lang}\\(\\{ \\w+: './${dir}/${files[0]}' \\}\\)\\)`));
    },
    60_000,
  );

  it('overwrites nothing', async () => {
    const first = await snakepit(['new', 'worker', '--lang', 'python', '--dir', 'own'], { cwd });
    expect(first.status).toBe(0);
    const before = readFileSync(join(cwd, 'own/report.py'), 'utf8');
    rmSync(join(cwd, 'own/test_report.py'));
    const { status, stderr } = await snakepit(['new', 'worker', '--lang', 'python', '--dir', 'own'], { cwd });
    expect([status, stderr]).toEqual([2, 'snakepit: own/report.py exists already; give the worker another name\n']);
    expect(readdirSync(join(cwd, 'own'))).toEqual(['report.py']);
    expect(readFileSync(join(cwd, 'own/report.py'), 'utf8')).toBe(before);
  });

  it.each([
    [['--lang', 'cobol'], /Allowed choices are python, node/],
    [[], /required option '--lang <language>' not specified/],
    [['--lang', 'python', '../x'], /'..\/x' cannot be a worker's name/],
    [['--lang', 'python', '1st'], /cannot be a worker's name/],
  ])('refuses %j', async (args, message) => {
    const { status, stderr } = await snakepit(['new', 'worker', ...args], { cwd });
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});
