import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { Language } from './combinations.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

export interface StandaloneWorker {
  readonly child: ChildProcess;
  /** Where it listens. */
  readonly address: string;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a worker of our SDKs as a container would, and waits until it listens. Without a token it lets everybody in; `module` is a path from
 * the root of the workspace.
 */
export async function startStandalone(
  language: Language,
  listen: string,
  token: string | undefined,
  packages: string,
  flags: readonly string[] = [],
  module = `test/fixtures/contract/commands.${language === 'python' ? 'py' : 'js'}`,
): Promise<StandaloneWorker> {
  const folder = mkdtempSync(join(tmpdir(), 'standalone-'));
  const tokenFile = join(folder, 'token');
  if (token !== undefined) writeFileSync(tokenFile, token);
  const admission = token === undefined ? ['--no-token'] : ['--token-file', tokenFile];
  const options = ['--listen', listen, ...admission, ...flags];
  const child =
    language === 'python'
      ? spawn('python3', ['-m', 'snakepit_bridge.grpc', pathOf(module), ...options], {
          env: { ...process.env, PYTHONPATH: [pathOf('bridges/python'), packages].join(delimiter) },
        })
      : spawn(process.execPath, [pathOf('bridges/node/dist/worker.js'), '--module', pathOf(module), ...options]);
  const end = once(child, 'exit').then(() => rmSync(folder, { recursive: true, force: true }));
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await end;
  };
  try {
    return { child, address: await listeningAddress(child), kill };
  } catch (error) {
    await kill();
    throw error;
  }
}

/** It prints a line of JSON when it can be reached. */
async function listeningAddress(child: ChildProcess): Promise<string> {
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => (complaints += text.toString()));
  for await (const line of createInterface({ input: child.stdout! })) {
    const { listening } = JSON.parse(line) as { listening?: string };
    if (listening !== undefined) {
      child.stdout?.resume();
      return listening;
    }
  }
  throw new Error(`the worker did not start:\n${complaints}`);
}
