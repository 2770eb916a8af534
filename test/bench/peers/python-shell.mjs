import { fileURLToPath } from 'node:url';

import { onWorkerCpus } from '../support/cpus.mjs';
import { requirePeer, venvPython } from '../support/packages.mjs';

const script = fileURLToPath(new URL('python_shell_worker.py', import.meta.url));

/** `add` by python-shell in JSON mode. It has no calls, only messages: ids match answers to promises, as its users do it. */
export async function openPythonShell() {
  const { PythonShell } = requirePeer('python-shell');
  const [pythonPath, pythonOptions] = onWorkerCpus(venvPython, []);
  const shell = new PythonShell(script, { mode: 'json', pythonPath, pythonOptions });
  const pending = new Map();
  let nextId = 1;
  shell.on('message', ({ id, result }) => {
    pending.get(id)(result);
    pending.delete(id);
  });
  return {
    add: () =>
      new Promise((resolve) => {
        const id = nextId;
        nextId += 1;
        pending.set(id, resolve);
        shell.send({ id, a: 1, b: 2 });
      }),
    close: () => new Promise((resolve, reject) => shell.end((error) => (error ? reject(error) : resolve()))),
  };
}
