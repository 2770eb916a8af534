import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { tarballProblems } from '../../tools/pack/check-tarball.mjs';
import { packNpmPackage } from '../../tools/pack/npm-package.mjs';
import { fencedBlocks } from './fenced-blocks.js';
import { readmeBlocks, repository, shellBlock } from './readme-blocks.js';

/** The environment of somebody who does not run this under npm, whose settings for the repository would else apply. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

const run = (program: string, args: readonly string[], cwd: string): Promise<{ readonly stdout: string }> =>
  promisify(execFile)(program, args, { cwd, env });

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    skipLibCheck: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'dist',
  },
  include: ['src'],
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilServed(url: string, app: ChildProcess): Promise<Response> {
  for (;;) {
    if (app.exitCode !== null) throw new Error(`the app ended with status ${app.exitCode}`);
    try {
      return await fetch(url);
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A test of the app that needs no Python: the fakes' worker is part of the package too. */
const APP_TEST = `import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { PoolService } from 'nestjs-snakepit';
import { SnakepitTesting, SnakepitTestingModule, type FakeContext } from 'nestjs-snakepit/testing';
import { AppModule } from './app.module.js';

const commands = {
  summarize: ({ amounts }: { amounts: number[] }, { worker }: FakeContext) => ({ count: amounts.length, worker: worker.id }),
  *countdown() {},
};

@Module({ imports: [AppModule, SnakepitTestingModule.forRoot({ default: { commands } })] })
class TestModule {}

const app = await NestFactory.createApplicationContext(TestModule, { logger: false });
const result = await app.get(PoolService).execute('summarize', { amounts: [1] });
console.log(JSON.stringify({ result, calls: app.get(SnakepitTesting).calls().length }));
await app.close();
`;

/** Of each declaration file: what it exports, types included. */
function exportedNames(files: readonly string[]): string[][] {
  const { NodeNext } = ts.ModuleKind;
  const program = ts.createProgram(files, { module: NodeNext, target: ts.ScriptTarget.ES2023, types: ['node'] });
  const checker = program.getTypeChecker();
  return files.map((file) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(file)!);
    return checker
      .getExportsOfModule(symbol!)
      .map(({ name }) => name)
      .toSorted();
  });
}

describe('the packed library in an empty Nest app', () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'snakepit-packed-')));
  const app = join(base, 'app');
  let tarball: string;

  beforeAll(async () => {
    mkdirSync(app);
    tarball = await packNpmPackage({ repository, out: base });
    const library = JSON.parse(readFileSync(join(repository, 'libs/snakepit/package.json'), 'utf8'));
    const workspace = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    const versions = { ...library.devDependencies, ...workspace.devDependencies };
    const peers = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'];
    const others = ['typescript', '@types/node'].concat(peers).map((name) => `${name}@${versions[name]}`);
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'empty-app', private: true, type: 'module' }));
    const [program, ...args] = shellBlock('npm install').replace('nestjs-snakepit', tarball).split(' ');
    await run(program!, [...args, ...others, '--no-audit', '--no-fund'], app);

    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    for (const { title, text } of readmeBlocks()) {
      if (title === undefined) continue;
      mkdirSync(dirname(join(app, title)), { recursive: true });
      writeFileSync(join(app, title), text);
    }
    writeFileSync(join(app, 'src/app.test.ts'), APP_TEST);
    await run('npx', ['tsc'], app);
  }, 240_000);

  afterAll(() => rmSync(base, { recursive: true, force: true }));

  it('answers a Python call and streams, as the README says', async () => {
    const port = await freePort();
    const child = spawn('node', ['dist/main.js'], {
      cwd: app,
      env: { ...env, PORT: String(port) },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    try {
      const url = /http:\S+(?=')/.exec(shellBlock('curl'))![0].replace('3000', String(port));
      const answer = await untilServed(url, child);
      expect(await answer.json()).toEqual({ count: 3, total: 6 });

      const events = await (await fetch(`http://localhost:${port}/countdown`)).text();
      expect([...events.matchAll(/data: (.*)/g)].map(([, data]) => JSON.parse(data!))).toEqual([
        { left: 3 },
        { left: 2 },
        { left: 1 },
      ]);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  }, 60_000);

  it('has nothing that publint or arethetypeswrong object to, and is not large', async () => {
    expect(await tarballProblems(tarball)).toEqual([]);
  }, 60_000);

  it('brings the command line, with what it needs', async () => {
    const { stdout } = await run('npx', ['snakepit', 'new', 'worker', 'sales', '--lang', 'python'], app);
    const [, args] = /npx snakepit (exec --python workers\/sales\.py summarize) /.exec(stdout)!;
    const called = await run('npx', ['snakepit', ...args!.split(' '), '{"amounts":[1,2]}'], app);
    expect(JSON.parse(called.stdout)).toMatchObject({ total: 3 });
  }, 60_000);
  it('has the SDK for Go where the page about it says', async () => {
    const page = fencedBlocks(readFileSync(join(repository, 'docs/go.md'), 'utf8'));
    for (const { title, text } of page.filter(({ title }) => title?.startsWith('workers/report/'))) {
      mkdirSync(dirname(join(app, title!)), { recursive: true });
      writeFileSync(join(app, title!), text);
    }
    const script = `import { createSnakepit, go } from 'nestjs-snakepit/core';
      const snakepit = await createSnakepit({ adapter: go({ package: './workers/report', builds: './builds' }), size: 1 });
      console.log(JSON.stringify(await snakepit.pool().execute('summarize', { amounts: [1, 2] })));
      await snakepit.close();`;
    const { stdout } = await run('node', ['--input-type=module', '--eval', script], app);
    expect(JSON.parse(stdout)).toEqual({ count: 2, total: 3 });
  }, 120_000);

  it('has the SDKs of the interpreted languages, which need no installation', async () => {
    const workers = {
      'add.py': 'def add(a, b):\n    return a + b\n',
      'add.mjs':
        "import { command } from 'nestjs-snakepit/worker';\nexport const add = command({ doc: 'The sum.' }, ({ a, b }) => a + b);\n",
      'add.rb': "require 'snakepit_bridge'\nSnakepit.worker { command(:add) { |a:, b:| a + b } }\n",
      'add.R': 'library(snakepit)\ncommand("add", function(a, b) a + b)\n',
    };
    for (const [name, text] of Object.entries(workers)) writeFileSync(join(app, 'workers', name), text);
    const script = `import { createSnakepit, node, python, r, ruby } from 'nestjs-snakepit/core';
      const adapters = {
        python: python({ module: './workers/add.py' }),
        node: node({ module: './workers/add.mjs' }),
        ruby: ruby({ module: './workers/add.rb' }),
        r: r({ module: './workers/add.R' }),
      };
      const pools = Object.fromEntries(Object.entries(adapters).map(([name, adapter]) => [name, { adapter, size: 1 }]));
      const snakepit = await createSnakepit({ pools });
      const sums = Object.keys(pools).map((name) => snakepit.pool(name).execute('add', { a: 2, b: 3 }));
      console.log(JSON.stringify(await Promise.all(sums)));
      await snakepit.close();`;
    const { stdout } = await run('node', ['--input-type=module', '--eval', script], app);
    expect(JSON.parse(stdout)).toEqual([5, 5, 5, 5]);
  }, 60_000);

  it('declares what it exports: the same names as the modules that were compiled', () => {
    const installed = join(app, 'node_modules/nestjs-snakepit');
    const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      exports: Record<string, { readonly types?: string }>;
    };
    const entries = Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [types]));
    expect(entries.length).toBeGreaterThan(10);
    const built = entries.map((types) =>
      types.startsWith('./bridges/') ? join(repository, types) : join(repository, 'libs/snakepit', types),
    );
    expect(exportedNames(entries.map((types) => join(installed, types)))).toEqual(exportedNames(built));
  }, 60_000);

  it('is tested without Python, and ends by itself', async () => {
    const { stdout } = await run('node', ['dist/app.test.js'], app);
    expect(JSON.parse(stdout)).toMatchObject({ result: { count: 1 }, calls: 1 });
  }, 60_000);
});
