import { fileURLToPath } from 'node:url';

import { withNewcomersOnWorkerCpus } from '../support/cpus.mjs';
import { requirePeer } from '../support/packages.mjs';

const filename = fileURLToPath(new URL('piscina-worker.mjs', import.meta.url));

/** Settings that were the fastest of all combinations tried; see docs/performance.md. */
export const TUNED = { concurrentTasksPerWorker: 64, atomics: 'sync' };

/** `add` in worker threads. */
export async function openPiscina(threads, options = {}) {
  const Piscina = requirePeer('piscina');
  const pool = await withNewcomersOnWorkerCpus(async () => {
    const opened = new Piscina({ filename, minThreads: threads, maxThreads: threads, ...options });
    await Promise.all(Array.from({ length: threads * 8 }, () => opened.run({ a: 1, b: 2 })));
    return opened;
  });
  return { add: () => pool.run({ a: 1, b: 2 }), close: () => pool.destroy() };
}
