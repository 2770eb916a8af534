import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { leadsGroup } from './process-end.js';

const THREAD = new URL('./watchdog-thread.cjs', import.meta.url);

/**
 * Starts the thread that does what a blocked main thread cannot: it sees that the host is gone, and kills the group; and it writes the
 * stack of the main thread to stderr when a byte comes in on the descriptor that SNAKEPIT_STACKS_FD names.
 */
export function startWatchdog(): void {
  const workerData = {
    parent: process.ppid,
    leadsGroup: leadsGroup(),
    stacksFd: stacksDescriptor(),
    servingFolders: [import.meta.url, import.meta.resolve('nestjs-snakepit/codec')].map(folderOf),
  };
  const thread = new Worker(THREAD, { workerData, stdin: false, stdout: false, stderr: false });
  thread.on('error', (error) => console.error('The thread that watches for the end of the host failed:', error));
  thread.unref();
}

function folderOf(url: string): string {
  return fileURLToPath(new URL('.', url));
}

function stacksDescriptor(): number | undefined {
  const fd = Number(process.env['SNAKEPIT_STACKS_FD']);
  delete process.env['SNAKEPIT_STACKS_FD'];
  return Number.isInteger(fd) && fd > 2 ? fd : undefined;
}
