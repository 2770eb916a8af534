// Environments are made from wheels that these tests write themselves, so that no network is needed.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { createSnakepit, python, type LogRecord, type PythonOptions } from 'nestjs-snakepit/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { provideEnvironment } from '../../libs/snakepit/src/adapters/python-environment.js';
import { locateBridge } from '../../libs/snakepit/src/adapters/bridge-location.js';
import { uvFolder } from '../../tools/python-packages.mjs';

const MINUTE = 60_000;
// Before an index of packages is out of reach.
const uv = uvFolder();

interface Manager {
  readonly manager: 'pip' | 'uv';
  /** What it says when it has installed the package of these tests. */
  readonly installed: RegExp;
  /** What it says of a package that is not at hand. */
  readonly missing: (name: string) => RegExp;
}
const MANAGERS: readonly Manager[] = [
  {
    manager: 'pip',
    installed: /Successfully installed told-1\.0/,
    missing: (name) => new RegExp(`-m pip[^]* install [^]*No matching distribution found for ${name}`),
  },
  {
    manager: 'uv',
    installed: /\+ told==1\.0/,
    missing: (name) => new RegExp(`uv pip install[^]*${name}`),
  },
];

let dir: string;
let records: LogRecord[];
const log = (record: LogRecord): void => void records.push(record);
const told = (): string[] => records.filter(({ level }) => level === 'info').map(({ message }) => message);
const builds = (): number => told().filter((text) => text.startsWith('making a Python environment')).length;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'snakepit-environments-'));
  records = [];
  // What is not at hand must fail at once, not after asking a network.
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('UV_OFFLINE', '1');
  vi.stubEnv('UV_CACHE_DIR', join(dir, 'uv-cache'));
  vi.stubEnv('PATH', `${uv}${delimiter}${process.env['PATH']}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

const root = (): string => join(dir, 'environments');
const wish = (requirements: readonly string[], manager: Manager['manager']) => ({
  requirements,
  extras: [],
  manager,
  root: root(),
});

/** A wheel of a package `told` with one function, as https://packaging.python.org/en/latest/specifications/ says. */
function wheel(answer: number): string {
  const path = join(dir, 'told-1.0-py3-none-any.whl');
  const script = `
import sys, zipfile
info = "told-1.0.dist-info/"
files = {
    "told.py": "def answer():\\n    return " + sys.argv[2] + "\\n",
    info + "METADATA": "Metadata-Version: 2.1\\nName: told\\nVersion: 1.0\\n",
    info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: spec\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
files[info + "RECORD"] = "".join(name + ",,\\n" for name in files) + info + "RECORD,,\\n"
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name, text in files.items():
        archive.writestr(name, text)
`;
  execFileSync('python3', ['-c', script, path, String(answer)]);
  return path;
}

function workerFile(): string {
  const path = join(dir, 'asks.py');
  writeFileSync(path, 'import sys\nimport told\n\ndef ask():\n    return [told.answer(), sys.prefix]\n');
  return path;
}

async function ask(options: Partial<PythonOptions>): Promise<unknown> {
  const adapter = python({ module: workerFile(), environments: root(), manager: 'pip', ...options });
  const snakepit = await createSnakepit({ adapter, size: 1 }, { log });
  try {
    return await snakepit.pool().execute('ask', {});
  } finally {
    await snakepit.close();
  }
}

describe.each(MANAGERS)('a Python environment by $manager', ({ manager, installed, missing }) => {
  it(
    'is made for the first start, found again by the next, and made anew when a package changes',
    async () => {
      const requirements = [wheel(42)];

      expect(await ask({ requirements, manager })).toEqual([42, expect.stringContaining(root())]);
      expect(builds()).toBe(1);
      expect(told()[0]).toContain(` with ${manager}: `);
      expect(told()).toContainEqual(expect.stringMatching(/^made the Python environment in [\d.]+ s$/));
      expect(records.filter(({ level }) => level === 'debug').map(({ message }) => message)).toContainEqual(
        expect.stringMatching(installed),
      );
      expect(await ask({ requirements, manager })).toEqual([42, expect.anything()]);
      expect(builds()).toBe(1);

      wheel(43);
      expect(await ask({ requirements, manager })).toEqual([43, expect.anything()]);
      expect(builds()).toBe(2);
    },
    MINUTE,
  );

  it(
    'follows a requirements file with those that it includes, and the dependencies of a pyproject.toml',
    async () => {
      const path = wheel(7);
      mkdirSync(join(dir, 'more'));
      writeFileSync(join(dir, 'requirements.txt'), '# what it needs\n-r more/told.txt\n');
      writeFileSync(join(dir, 'more/told.txt'), `${path}\n`);
      expect(await ask({ requirements: join(dir, 'requirements.txt'), manager })).toEqual([7, expect.anything()]);
      writeFileSync(join(dir, 'more/told.txt'), `${path}\n# another comment\n`);
      expect(await ask({ requirements: join(dir, 'requirements.txt'), manager })).toEqual([7, expect.anything()]);
      expect(builds()).toBe(2);

      writeFileSync(join(dir, 'pyproject.toml'), `[project]\nname = "x"\ndependencies = ["told @ file://${path}"]\n`);
      expect(await ask({ pyproject: join(dir, 'pyproject.toml'), manager })).toEqual([7, expect.anything()]);
    },
    MINUTE,
  );

  it(
    'is made once by processes that ask at the same time',
    async () => {
      const asked = wish([wheel(1)], manager);
      const paths = await Promise.all([1, 2, 3].map(() => provideEnvironment('python3', asked, log)));

      expect(new Set(paths).size).toBe(1);
      expect(builds()).toBe(1);
      expect(told().filter((text) => text.includes('waiting for it'))).toHaveLength(2);
    },
    MINUTE,
  );

  it(
    'is made by the next process when the one that made it was killed',
    async () => {
      const asked = wish([wheel(1)], manager);
      const env = { ...process.env, PYTHONPATH: locateBridge('python') };
      const first = spawn('python3', ['-m', 'snakepit_bridge.environment'], { env });
      first.stdin.end(JSON.stringify(asked));
      const [line] = (await once(createInterface({ input: first.stdout }), 'line')) as [string];
      expect(line).toContain('making a Python environment');
      first.kill('SIGKILL');

      const path = await provideEnvironment('python3', asked, log);
      expect(execFileSync(path, ['-c', 'import told; print(told.answer())'], { encoding: 'utf8' })).toBe('1\n');
      expect(builds()).toBe(1);
    },
    MINUTE,
  );

  it(
    'is found again where nothing can be written, made anew where its Python does not run, and told of without passwords',
    async () => {
      const line = 'told @ https://user:secret@127.0.0.1:9/told.whl ; python_version < "3"';
      const asked = wish([wheel(3), line], manager);
      const path = await provideEnvironment('python3', asked, log);
      expect(told()[0]).toContain('https://***@127.0.0.1:9/told.whl');
      expect(JSON.stringify(records)).not.toContain('secret');

      const lock = `${dirname(dirname(path))}.lock`;
      rmSync(lock);
      mkdirSync(lock);
      expect(await provideEnvironment('python3', asked, log)).toBe(path);

      rmSync(path);
      writeFileSync(path, '#!/bin/sh\nexit 127\n', { mode: 0o755 });
      rmSync(lock, { recursive: true });
      expect(await provideEnvironment('python3', asked, log)).toBe(path);
      expect(execFileSync(path, ['-c', 'import told; print(told.answer())'], { encoding: 'utf8' })).toBe('3\n');
      expect(builds()).toBe(2);
    },
    MINUTE,
  );

  it(
    'that cannot be made fails the start with the last lines of what failed, and leaves nothing behind',
    async () => {
      const failure = ask({ requirements: ['no-such-package-of-snakepit==9.9'], manager });

      await expect(failure).rejects.toMatchObject({
        code: 'ENVIRONMENT_FAILED',
        message: expect.stringMatching(missing('no-such-package-of-snakepit==9\\.9')),
      });
      expect(readdirSync(root()).filter((name) => !name.endsWith('.lock'))).toEqual([]);
    },
    MINUTE,
  );

  it(
    'has what gRPC needs among its packages',
    async () => {
      await expect(ask({ requirements: [], transport: 'grpc', manager })).rejects.toMatchObject({
        message: expect.stringMatching(missing('grpcio')),
      });
    },
    MINUTE,
  );
});

describe('a Python environment by whatever is there', () => {
  it(
    'is made by uv where it is on the PATH',
    async () => {
      expect(await ask({ requirements: [wheel(5)], manager: 'auto' })).toEqual([5, expect.anything()]);
      expect(told()[0]).toContain(' with uv: ');
    },
    MINUTE,
  );

  it(
    'is made by pip where it is not, which is told where uv was asked for',
    async () => {
      const interpreter = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
        encoding: 'utf8',
      }).trim();
      const requirements = [wheel(6)];
      vi.stubEnv('PATH', dir);
      await expect(ask({ requirements, manager: 'uv', interpreter })).rejects.toThrow(/no uv on the PATH/);
      expect(await ask({ requirements, manager: 'auto', interpreter })).toEqual([6, expect.anything()]);
      expect(told()[0]).toContain(' with pip: ');
    },
    MINUTE,
  );

  it(
    'has a pip of its own only where that of its Python cannot serve it',
    async () => {
      const requirements = [wheel(8)];
      const pipOf = (path: unknown): string => join(String(path), 'bin/pip');
      const [, shared] = (await ask({ requirements })) as [number, string];
      expect(existsSync(pipOf(shared))).toBe(false);

      execFileSync('python3', ['-m', 'venv', '--without-pip', join(dir, 'bare')]);
      // Which is the same interpreter, whose environment would be found again in the same folder.
      const bare = { interpreter: join(dir, 'bare/bin/python'), environments: join(dir, 'others') };
      const [answer, own] = (await ask({ requirements, ...bare })) as [number, string];
      expect(answer).toBe(8);
      expect(existsSync(pipOf(own))).toBe(true);
    },
    MINUTE,
  );
});

describe('a Python environment that cannot be made', () => {
  it('says which folder cannot be written, and what to do', async () => {
    // Not even root can make a folder below a file.
    const environments = join(dir, 'a-file', 'environments');
    writeFileSync(join(dir, 'a-file'), '');
    await expect(ask({ requirements: [wheel(1)], environments })).rejects.toMatchObject({
      code: 'ENVIRONMENT_FAILED',
      message: expect.stringMatching(/a-file\S* cannot be written: .*option 'environments'/),
    });
  });

  it.each([
    ['a folder', () => [`${dir}/`], /is a folder whose content may change/],
    ['an editable package', () => ['-e ./here'], /is a folder whose content may change/],
  ])('is refused for %s', async (_, requirements, message) => {
    await expect(ask({ requirements: requirements() })).rejects.toThrow(message);
    expect(existsSync(root())).toBe(false);
  });

  it('is refused for a pyproject.toml that does not say its dependencies, or is none', async () => {
    const path = join(dir, 'pyproject.toml');
    writeFileSync(path, '[project]\ndynamic = ["dependencies"]\n');
    await expect(ask({ pyproject: path })).rejects.toThrow(/leaves its dependencies to the build/);
    writeFileSync(path, 'dependencies = [\n');
    await expect(ask({ pyproject: path })).rejects.toThrow(/is no TOML/);
  });

  it('is refused beside an environment of the user’s own', () => {
    expect(() => python({ module: 'm', venv: './venv', requirements: [] })).toThrow(
      /'python\.venv' and 'python\.requirements' exclude each other/,
    );
  });
});
