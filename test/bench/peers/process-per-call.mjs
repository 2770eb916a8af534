import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { onWorkerCpus } from '../support/cpus.mjs';
import { venvPython } from '../support/packages.mjs';

const script = fileURLToPath(new URL('spawn_worker.py', import.meta.url));
const run = promisify(execFile);

/** `add` by a new Python process, started as fast as Python starts: without site packages and the user's environment. */
export async function addInNewProcess() {
  const { stdout } = await run(...onWorkerCpus(venvPython, ['-I', '-S', script, '1', '2']));
  return Number(stdout);
}
