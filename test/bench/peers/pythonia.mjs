import { fileURLToPath } from 'node:url';

import { withNewcomersOnWorkerCpus } from '../support/cpus.mjs';
import { requirePeer, venvPython } from '../support/packages.mjs';

const script = fileURLToPath(new URL('pythonia_worker.py', import.meta.url));

/** `add` by pythonia, which runs one Python process for the whole host. */
export async function openPythonia() {
  process.env.PYTHON_BIN = venvPython;
  return withNewcomersOnWorkerCpus(async () => {
    const { python } = requirePeer('pythonia');
    const commands = await python(script);
    await commands.add(1, 2);
    return { add: () => commands.add(1, 2), close: () => python.exit() };
  });
}
