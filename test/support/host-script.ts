import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface HostScript {
  readonly child: ChildProcess;
  /** The next line of its stdout, read as JSON. */
  next<Facts>(): Promise<Facts>;
  /** Exit status and signal, once it has ended by itself; fails after `timeoutMs`. */
  ended(timeoutMs: number): Promise<{ status: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

/** Runs a plain Node program, as a user's service is one. */
export function startHost(script: string, args: readonly string[], nodeArgs: readonly string[] = []): HostScript {
  const child = spawn(process.execPath, [...nodeArgs, script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    async next<Facts>() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the host ended without another line; its stderr:\n${stderr}`);
      return JSON.parse(value) as Facts;
    },
    async ended(timeoutMs) {
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      const [status, signal] = await exit;
      clearTimeout(timer);
      return { status, signal, stderr };
    },
  };
}
