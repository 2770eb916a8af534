import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../../apps/demo/dist/main.js', import.meta.url));

/** What Nest can stand on; every route has to work on each. */
export const HTTP_PLATFORMS = ['express', 'fastify'] as const;

export interface DemoStart {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** The demo as a user runs it: a process of its own, of which only its output and its port are known. */
export class DemoApp {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  #output = '';

  constructor({ env = {}, cwd = REPOSITORY }: DemoStart = {}) {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run \`npm run build\` first, or \`npm test\`.`);
    const { INIT_CWD: _, ...inherited } = process.env;
    this.#child = spawn(process.execPath, [MAIN], {
      cwd,
      env: { ...inherited, PORT: '0', DEMO_WORKERS: '2', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#child.emit('output');
      });
    }
  }

  /** @throws Error with its output when it exits instead of serving. */
  static async serving(start?: DemoStart): Promise<DemoApp> {
    const app = new DemoApp(start);
    const exited = app.#exited.then(() => 'exited' as const);
    while (app.curlLines.length < 3) {
      const outcome = await Promise.race([once(app.#child, 'output'), exited]);
      if (outcome === 'exited') throw new Error(`The demo exited:\n${app.output}`);
    }
    return app;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get output(): string {
    return this.#output;
  }

  get url(): string {
    const url = /serves (http:\S+)/.exec(this.#output)?.[1];
    if (url === undefined) throw new Error(`The demo printed no URL:\n${this.#output}`);
    return url;
  }

  /** The lines that it prints to be pasted into a shell. */
  get curlLines(): string[] {
    return this.#output.split('\n').filter((line) => line.startsWith('curl ') && line.includes('http://'));
  }

  /** The exit code or, when a signal ended it, the signal. */
  async exit(): Promise<unknown> {
    const [code, signal] = await this.#exited;
    return code ?? signal;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.#exited;
  }
}
