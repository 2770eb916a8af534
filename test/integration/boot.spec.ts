import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createSnakepit, custom, node, python, Snakepit, type SnakepitOptions } from 'nestjs-snakepit/core';
import { describe, expect, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { useScratch } from '../support/records.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

const bootError = (options: SnakepitOptions) => failureOf(createSnakepit(options));

/** Constructs what cannot be typed, and returns what it throws. */
async function optionsError(options: unknown) {
  return failureOf((async () => new Snakepit(options as SnakepitOptions))());
}

describe('the start of a pool', () => {
  const scratch = useScratch();

  it.each([
    {
      language: 'python',
      adapter: python({ module: pathOf('integration/broken_import.py') }),
      type: 'ModuleNotFoundError',
    },
    {
      language: 'node',
      adapter: node({ module: pathOf('integration/broken_import.js') }),
      type: 'ERR_MODULE_NOT_FOUND',
    },
  ])(
    'fails when the $language module cannot be imported, and says all there is to know',
    async ({ language, adapter, type }) => {
      const { message, code, details } = await bootError({ adapter, size: 2 });
      expect(code).toBe('WORKER_START_FAILED');
      expect(message).toMatch(/command line: .*--module .*broken_import/);
      if (language === 'python') expect(message).toMatch(/command line: +PYTHONPATH=\S*bridges\/python\S* \S*python/);
      expect(message).toMatch(/exit: +status 1/);
      expect(message).toMatch(/numpie.that.is.not.installed/);
      expect(message).toContain(type);
      expect(message).toMatch(/what to do: +\S/);
      expect(details).toMatchObject({ pool: 'default', exit: 'status 1' });
    },
  );

  it.each([
    {
      what: 'a syntax error in Python',
      files: { 'bad.py': 'def fine():\n    return 1\n\n\ndef broken(:\n    return 2\n' },
      says: [/SyntaxError: invalid syntax \(bad\.py, line 5\)/, /bad\.py", line 5\s+def broken\(:/],
    },
    {
      what: 'a syntax error in Node',
      files: { 'bad.mjs': 'export function fine() {}\n\nexport function broken( {\n  return 2;\n}\n' },
      says: [/SyntaxError: .*\(\S*bad\.mjs:[34]\)/, /\n\s+\^/],
    },
    {
      what: 'a syntax error in what a module of Node imports',
      files: {
        'imports.mjs': "import { help } from './help.mjs';\nexport const run = help;\n",
        'help.mjs': '\nexport const help = ;\n',
      },
      says: [/SyntaxError: .*\(\S*help\.mjs:2\)/],
    },
    {
      what: 'an exception in what a module of Python imports',
      files: { 'imports.py': 'import help_of_it\n', 'help_of_it.py': '\n\n1 / 0\n' },
      says: [/ZeroDivisionError/, /imports\.py", line 1/, /help_of_it\.py", line 3/],
    },
    {
      what: 'an exception in a module of Node',
      files: { 'throws.mjs': "\n\nthrow new RangeError('not today');\n" },
      says: [/RangeError: not today/, /throws\.mjs:3:/],
    },
  ])('fails with the file and the line of $what', async ({ files, says }) => {
    const folder = scratch('modules');
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const module = join(folder, Object.keys(files)[0]!);
    const adapter = module.endsWith('.py') ? python({ module }) : node({ module });
    const error = await bootError({ adapter, size: 1 });
    expect(error.code).toBe('WORKER_START_FAILED');
    for (const each of says) expect(error.message).toMatch(each);
  });

  it.each([
    { language: 'python', adapter: python({ module: './no/such/file.py' }) },
    { language: 'node', adapter: node({ module: './no/such/file.js' }) },
  ])('fails when the $language module is missing, with its absolute path', async ({ language, adapter }) => {
    const error = await bootError({ adapter, size: 1 });
    expect(error.code).toBe('INVALID_OPTIONS');
    expect(error.message).toMatch(new RegExp(`'${language}.module' names /.*/no/such/file`));
  });

  it.each([
    {
      what: 'python',
      adapter: python({ module: pathOf('contract/commands.py'), interpreter: 'python9.9' }),
      tried: 'python9.9',
    },
    {
      what: 'a venv',
      adapter: python({ module: pathOf('contract/commands.py'), venv: '/no/venv' }),
      tried: '/no/venv/bin/python',
    },
    { what: 'node', adapter: node({ module: pathOf('contract/commands.js'), interpreter: 'node99' }), tried: 'node99' },
    { what: 'a program', adapter: custom({ executable: 'no-such-program' }), tried: 'no-such-program' },
  ])('fails when the interpreter is missing, and says what was tried: $what', async ({ adapter, tried }) => {
    const error = await bootError({ adapter, size: 1 });
    expect(error.code).toBe('INTERPRETER_NOT_FOUND');
    expect(error.message).toContain(tried);
    expect(error.message).toContain("'interpreter' option");
  });

  it('says which other Pythons are on the PATH, and what is the matter with an environment', async () => {
    const module = pathOf('contract/commands.py');
    const named = await bootError({ adapter: python({ module, interpreter: 'python9.9' }), size: 1 });
    expect(named.message).toMatch(/on the PATH there are .*python3/);
    const missing = await bootError({ adapter: python({ module, venv: '/no/venv' }), size: 1 });
    expect(missing.message).toContain('/no/venv does not exist; make it anew');
    const venv = scratch('venv');
    mkdirSync(join(venv, 'bin'), { recursive: true });
    symlinkSync('/opt/gone/python3', join(venv, 'bin', 'python'));
    const broken = await bootError({ adapter: python({ module, venv }), size: 1 });
    expect(broken.message).toContain('the Python that it was made from, /opt/gone/python3, is gone');
  });

  function fakeInterpreter(text: string): string {
    const path = scratch('python');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  it('fails when Python is too old', async () => {
    const interpreter = fakeInterpreter(`echo '[[3, 6], [47, 112]]'`);
    const error = await bootError({
      adapter: python({ module: pathOf('contract/commands.py'), interpreter }),
      size: 1,
    });
    expect(error.code).toBe('INTERPRETER_NOT_FOUND');
    expect(error.message).toContain('Python 3.6, and 3.9 or newer is needed');
  });

  it('fails when Python does not run', async () => {
    const interpreter = fakeInterpreter('echo "no libc" >&2; exit 127');
    const error = await bootError({
      adapter: python({ module: pathOf('contract/commands.py'), interpreter }),
      size: 1,
    });
    expect(error.code).toBe('INTERPRETER_NOT_FOUND');
    expect(error.message).toContain('does not run');
  });

  it('fails as a whole when one of its pools cannot start', async () => {
    const snakepit = new Snakepit({
      pools: {
        good: { adapter: python({ module: pathOf('contract/commands.py') }), size: 1 },
        bad: { adapter: python({ module: pathOf('integration/broken_import.py') }), size: 1 },
      },
    });
    const error = await failureOf(snakepit.start());
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED', details: { pool: 'bad' } });
    expect(snakepit.pool('good').stats().pids).toEqual([]);
  });

  it('is needed before the first call', async () => {
    const snakepit = new Snakepit({ adapter: python({ module: pathOf('contract/commands.py') }), size: 1 });
    const error = await failureOf(snakepit.pool().execute('nothing'));
    expect(error).toMatchObject({ code: 'POOL_NOT_READY', delivery: 'not-started' });
    await snakepit.close();
  });
});

describe('options', () => {
  const adapter = python({ module: pathOf('contract/commands.py') });

  it.each([
    { what: 'an unknown key', options: { adapter, sise: 3 }, says: [/'options.*sise'/, /3/, /allowed are .*size/] },
    { what: 'a wrong type', options: { adapter, size: '3' }, says: [/size'/, /"3"/, /integer from 1 to 1024/] },
    { what: 'a value out of bounds', options: { adapter, size: 0 }, says: [/size'/, /0/, /from 1 to 1024/] },
    { what: 'a value that is not whole', options: { adapter, timeoutMs: 1.5 }, says: [/timeoutMs'/, /1.5/, /\(ms\)/] },
    { what: 'a nested key', options: { adapter, restart: { buget: 1 } }, says: [/restart\.buget'/, /budget/] },
    {
      what: 'a word that is not allowed',
      options: { adapter, affinity: 'sticky' },
      says: [/affinity'/, /'strict-queue'/],
    },
    { what: 'no adapter', options: { pools: { a: {} } }, says: [/pools\.a\.adapter'/, /adapter such as/] },
    { what: 'no pool', options: { pools: {} }, says: [/pools' is empty/] },
    { what: 'nothing', options: undefined, says: [/an object of options/] },
    { what: 'session options', options: { adapter, sessions: { ttlMs: -1 } }, says: [/sessions\.ttlMs'/, /-1/] },
  ])('refuse $what with the key, the value and what is allowed', async ({ options, says }) => {
    const error = await optionsError(options);
    expect(error.code).toBe('INVALID_OPTIONS');
    for (const each of says) expect(error.message).toMatch(each);
  });

  it.each([
    { what: 'python', make: () => python({ modul: './a.py' } as never), says: /modul/ },
    { what: 'node', make: () => node({ module: 7 } as never), says: /module.* 7/ },
    { what: 'custom', make: () => custom({ executable: 'x', validate: 1 } as never), says: /validate.*a function/ },
  ])('of $what() are refused when the adapter is made', async ({ make, says }) => {
    const error = await failureOf((async () => make())());
    expect(error.code).toBe('INVALID_OPTIONS');
    expect(error.message).toMatch(says);
  });
});
