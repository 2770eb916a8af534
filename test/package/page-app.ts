import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { fencedBlocks } from './fenced-blocks.js';
import { readmeBlocks, repository } from './readme-blocks.js';

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

/** The files of a page of the documentation as an application: compiled against the built library, in a folder of its own. */
export class PageApp {
  readonly folder = mkdtempSync(join(tmpdir(), 'snakepit-page-'));

  /** @param stubs declarations of packages that the page uses and that are not there, by file */
  private constructor(page: string, stubs: Readonly<Record<string, string>>) {
    const files = fencedBlocks(readFileSync(join(repository, 'docs', page), 'utf8'));
    const main = readmeBlocks().find(({ title }) => title === 'src/main.ts');
    this.#write('package.json', JSON.stringify({ type: 'module' }));
    this.#write('tsconfig.json', JSON.stringify(TSCONFIG));
    for (const [path, text] of Object.entries(stubs)) this.#write(path, text);
    const hasModule = files.some(({ title }) => title === 'src/app.module.ts');
    for (const { title, text } of [...(hasModule && main ? [main] : []), ...files])
      if (title !== undefined) this.#write(title, text);
    symlinkSync(join(repository, 'node_modules'), join(this.folder, 'node_modules'));
  }

  /** @throws Error with what the compiler says */
  static async compiled(page: string, stubs: Readonly<Record<string, string>> = {}): Promise<PageApp> {
    const app = new PageApp(page, stubs);
    const compiler = join(repository, 'node_modules/typescript/bin/tsc');
    try {
      await promisify(execFile)(process.execPath, [compiler, '-p', app.folder]);
    } catch (error) {
      app.remove();
      throw new Error((error as { stdout?: string }).stdout, { cause: error });
    }
    return app;
  }

  /** Serves it while `use` runs. */
  async serve(use: (url: string) => Promise<void>): Promise<void> {
    const port = await freePort();
    const stdio = ['ignore', 'ignore', 'inherit'] as const;
    const child = spawn(process.execPath, ['dist/main.js'], {
      cwd: this.folder,
      env: { ...process.env, PORT: String(port) },
      stdio: [...stdio],
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      while (!(await answers(url))) {
        if (child.exitCode !== null) throw new Error(`the app ended with status ${child.exitCode}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await use(url);
    } finally {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
