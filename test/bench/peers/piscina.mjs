import { fileURLToPath } from 'node:url';

import { withNewcomersOnWorkerCpus } from '../support/cpus.mjs';
import { requirePeer } from '../support/packages.mjs';

const filename = fileURLToPath(new URL('piscina-worker.mjs', import.meta.url));

/** The fastest of 1 to 128 tasks a worker, all three kinds of `atomics`, either queue, and with or without timings. */
export const TUNED = { concurrentTasksPerWorker: 64, recordTiming: false };

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
