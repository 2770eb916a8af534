import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { onWorkerCpus } from '../support/cpus.mjs';
import { requirePeer, venvPython } from '../support/packages.mjs';

const START_TIMEOUT_MS = 20_000;
const folder = fileURLToPath(new URL('.', import.meta.url));

/** `add` by a FastAPI service beside the host: one uvicorn worker, asked by undici over connections that stay open. */
export async function openFastApi({ connections }) {
  const { Pool } = requirePeer('undici');
  const port = await freePort();
  const [command, args] = onWorkerCpus(venvPython, ['-m', 'uvicorn', 'fastapi_app:app', ...uvicornOptions(port)]);
  const server = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const client = new Pool(`http://127.0.0.1:${port}`, { connections, pipelining: 1 });
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
      server.kill();
      await once(server, 'exit');
    },
  };
}

function uvicornOptions(port) {
  const options = {
    'app-dir': folder,
    host: '127.0.0.1',
    port,
    loop: 'uvloop',
    http: 'httptools',
    'log-level': 'warning',
  };
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

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
