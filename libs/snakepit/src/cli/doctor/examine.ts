import { checkHost } from './check-host.js';
import { checkPython } from './check-languages.js';
import { checkMemory } from './check-memory.js';
import { checkNode } from './check-node.js';
import { checkPeers } from './check-peers.js';
import type { Finding, Subject } from './finding.js';
import { tryWorker } from './try-worker.js';

/**
 * Looks at the machine, at the project in `folder`, and at each language that is there, of which a worker is started and called.
 *
 * @param asked what has to work; what else is missing is no problem
 */
export async function examine(folder: string, asked: ReadonlySet<Subject>): Promise<Finding[]> {
  const python = await checkPython(asked);
  return [
    ...checkNode(),
    ...checkPeers(folder, asked),
    ...checkHost(asked),
    ...checkMemory(),
    await tryWorker('node', true),
    ...python.findings,
    ...(python.there ? [await tryWorker('python', asked.has('python'))] : []),
  ];
}
