import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { onWorkerCpus } from '../support/cpus.mjs';
import { venvPython } from '../support/packages.mjs';
import { COMMANDS } from '../support/pools.mjs';

const BRIDGE = fileURLToPath(new URL('../../../bridges/python', import.meta.url));
const TOKEN = 'bench';

/** One worker that serves the bench's commands over gRPC, for whoever calls: the pool and the plain client. */
export async function startGrpcServer(module = COMMANDS) {
  const folder = mkdtempSync(join(tmpdir(), 'snakepit-bench-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, TOKEN);
  const address = `unix:${join(folder, 'worker.sock')}`;
  const arguments_ = ['-m', 'snakepit_bridge.grpc', module, '--listen', address, '--token-file', tokenFile];
  const [command, args] = onWorkerCpus(venvPython, arguments_);
  const child = spawn(command, args, {
    env: { ...process.env, PYTHONPATH: BRIDGE },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await listening(child);
  return {
    address,
    token: TOKEN,
    close() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Its first line on stdout says so. */
async function listening(child) {
  for await (const line of createInterface({ input: child.stdout })) if ('listening' in JSON.parse(line)) return;
  throw new Error('the gRPC worker did not start; its stderr is above');
}
