import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { onWorkerCpus } from '../support/cpus.mjs';
import { requirePeer, venvPython } from '../support/packages.mjs';

const START_TIMEOUT_MS = 20_000;
const appFolder = fileURLToPath(new URL('.', import.meta.url));

/**
 * `add` by a FastAPI service beside the host: one uvicorn worker, asked by undici over connections that stay open. A Unix
 * socket carries more than loopback TCP, and a connection per call in flight more than any depth of pipelining.
 */
export async function openFastApi({ connections }) {
  const { Pool } = requirePeer('undici');
  const folder = mkdtempSync(join(tmpdir(), 'snakepit-bench-'));
  const socketPath = join(folder, 'fastapi.sock');
  const [command, args] = onWorkerCpus(venvPython, ['-m', 'uvicorn', 'fastapi_app:app', ...uvicornOptions(socketPath)]);
  const server = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const kill = () => server.kill();
  process.once('exit', kill);
  const client = new Pool('http://localhost', { socketPath, connections, pipelining: 1 });
  const add = async () => {
    const { statusCode, body } = await client.request({ path: '/add?a=1&b=2', method: 'GET' });
    const result = await body.json();
    if (statusCode !== 200) throw new Error(`FastAPI answered ${statusCode}`);
    return result;
  };
  await untilItAnswers(add, server);
  return {
    add,
    async close() {
      await client.close();
      process.off('exit', kill);
      kill();
      await once(server, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function uvicornOptions(socketPath) {
  const options = { 'app-dir': appFolder, uds: socketPath, loop: 'uvloop', http: 'httptools', 'log-level': 'warning' };
  return ['--no-access-log', ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)];
}

async function untilItAnswers(call, server) {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (server.exitCode !== null || performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}
