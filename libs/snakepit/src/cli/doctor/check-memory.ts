import { statfsSync } from 'node:fs';
import { totalmem, availableParallelism } from 'node:os';

import { createArenaFile } from '../../codec/index.js';
import { toError } from '../../core/index.js';
import { groupLimits } from './control-group.js';
import { advice, ok, type Finding } from './finding.js';
import { readSystemFile, type ReadSystemFile } from './system-files.js';

const SHARED_MEMORY = '/dev/shm';
const MEBIBYTE = 2 ** 20;
/** What Docker gives a container is 64 MB; one large array, in both directions, takes as much. */
const SPARSE_SHARED_MEMORY = 128 * MEBIBYTE;
const SPARSE_MEMORY = 512 * MEBIBYTE;

export function checkMemory(read: ReadSystemFile = readSystemFile): Finding[] {
  return [memory(read), cpus(read), ...(process.platform === 'linux' ? [sharedMemory(read)] : [])];
}

function memory(read: ReadSystemFile): Finding {
  const limit = groupLimits(read).memoryBytes;
  const bytes = Math.min(limit ?? Infinity, totalmem());
  const says = `${megabytes(bytes)} ${limit === undefined ? 'of the machine, without a limit of a control group' : 'by the limit of the control group'}`;
  if (bytes >= SPARSE_MEMORY) return ok('memory', says);
  return advice(
    'memory',
    `${says}: a Python worker alone takes 10 to 30 MB, one with numpy 50 MB and more`,
    "Keep 'size' small, or use a zygote, which lets workers share what they import.",
  );
}

function cpus(read: ReadSystemFile): Finding {
  const quota = groupLimits(read).cpus;
  const seen = availableParallelism();
  if (quota === undefined || quota >= seen) return ok('CPUs', `${seen}`);
  const fitting = Math.max(1, Math.ceil(quota));
  return advice(
    'CPUs',
    `${seen} are seen, but the control group may use ${quota.toFixed(2)} of them`,
    `Set the pool's 'size' to about ${fitting}; its default is ${seen}.`,
  );
}

function sharedMemory(read: ReadSystemFile): Finding {
  const remedy = `Mount a tmpfs at ${SHARED_MEMORY} (Docker: --shm-size=1g), or npm install koffi, which does without. Until then large binary goes through the socket.`;
  let unmapped = '';
  try {
    createArenaFile(4096, true, (error) => {
      unmapped = `; koffi is installed but cannot be used: ${toError(error).message}`;
    }).close();
  } catch (error) {
    return advice('shared memory', `no file can be made in ${SHARED_MEMORY}: ${toError(error).message}`, remedy);
  }
  const { blocks, bavail, bsize } = statfsSync(SHARED_MEMORY);
  const says = `${megabytes(blocks * bsize)} in ${SHARED_MEMORY}, ${megabytes(bavail * bsize)} free${mountFlags(read)}${unmapped}`;
  if (bavail * bsize >= SPARSE_SHARED_MEMORY) return ok('shared memory', says);
  return advice('shared memory', `${says}: too little for large arrays in several workers`, remedy);
}

/** Nothing is executed there, so that `noexec` does no harm; who looks for it finds it. */
function mountFlags(read: ReadSystemFile): string {
  const mount = /^\S+ \/dev\/shm \S+ (\S+)/m.exec(read('/proc/self/mounts') ?? '')?.[1];
  return mount?.split(',').includes('noexec') ? ' (noexec, which does no harm)' : '';
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE).toLocaleString('en')} MB`;
}
