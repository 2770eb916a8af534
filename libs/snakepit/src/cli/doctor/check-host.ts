import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { defaultEnvironmentRoot } from '../../adapters/python-environment.js';
import { toError } from '../../core/index.js';
import { advice, lack, ok, problem, type Finding, type Subject } from './finding.js';
import { readSystemFile, type ReadSystemFile } from './system-files.js';

/** Paths of Unix sockets end at 107 bytes; what the library puts below the folder for them takes the rest. */
const MAX_SOCKET_FOLDER = 70;
const FEW_FILES = 1024;
const FEW_PROCESSES = 256;

/** What ends orphans as process 1 of a container. */
const REAPERS = /^(systemd|init|tini|docker-init|dumb-init|catatonit|s6-svscan|runit|launchd|podman-init|pid1)/;

export function checkHost(asked: ReadonlySet<Subject>, read: ReadSystemFile = readSystemFile): Finding[] {
  const isLinux = process.platform === 'linux';
  return [
    shell(),
    ...(isLinux ? [proc(read), openFiles(read), processes(read), firstProcess(read)] : []),
    temporaryFolder(asked),
    cacheFolder(),
  ];
}

function shell(): Finding {
  try {
    execFileSync('/bin/sh', ['-c', 'exit 0'], { stdio: 'ignore' });
    return ok('shell', '/bin/sh runs');
  } catch (error) {
    return problem(
      'shell',
      `/bin/sh does not run: ${toError(error).message}`,
      'Use an image with a shell: it guards against orphans and sets limits of workers.',
    );
  }
}

function proc(read: ReadSystemFile): Finding {
  if (read('/proc/self/stat') !== undefined) return ok('/proc', 'can be read');
  return advice('/proc', 'cannot be read: memory and orphans of workers are not seen', 'Mount /proc.');
}

function openFiles(read: ReadSystemFile): Finding {
  const limit = softLimit('Max open files', read);
  if (limit >= FEW_FILES) return ok('open files', `${limit === Infinity ? 'unlimited' : limit} for each process`);
  return advice(
    'open files',
    `${limit} for each process; a worker takes about 5 of the host`,
    'Raise it by `ulimit -n`, or LimitNOFILE= in systemd.',
  );
}

function processes(read: ReadSystemFile): Finding {
  const limit = softLimit('Max processes', read);
  if (limit >= FEW_PROCESSES) return ok('processes', `${limit === Infinity ? 'unlimited' : limit} for this user`);
  return advice(
    'processes',
    `${limit} for this user, threads included`,
    'Raise it by `ulimit -u`, TasksMax= in systemd, or --pids-limit of Docker.',
  );
}

function softLimit(name: string, read: ReadSystemFile): number {
  const soft = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(read('/proc/self/limits') ?? '')?.[1];
  return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft);
}

/** Where the first process is no init, nobody takes away what ended after its parent. */
function firstProcess(read: ReadSystemFile): Finding {
  const name = read('/proc/1/comm')?.trim();
  if (name === undefined || REAPERS.test(name)) return ok('process 1', name ?? 'cannot be seen');
  return advice(
    'process 1',
    `is '${name}', which may not reap orphans: ended grandchildren of workers stay as zombies`,
    'Start the container with an init: docker run --init, tini, or shareProcessNamespace in Kubernetes.',
  );
}

function temporaryFolder(asked: ReadonlySet<Subject>): Finding {
  const folder = tmpdir();
  try {
    rmSync(mkdtempSync(join(folder, 'snakepit-doctor-')), { recursive: true });
  } catch (error) {
    return lack(
      asked.has('grpc'),
      'temporary files',
      `no folder can be made in ${folder}: ${toError(error).message}`,
      'Point TMPDIR at a folder that can be written; sockets of gRPC workers go there.',
    );
  }
  if (Buffer.byteLength(folder) <= MAX_SOCKET_FOLDER) return ok('temporary files', `${folder} can be written`);
  return lack(
    asked.has('grpc'),
    'temporary files',
    `the path ${folder} is too long for Unix sockets of gRPC workers`,
    'Point TMPDIR at a shorter path.',
  );
}

function cacheFolder(): Finding {
  const folder = defaultEnvironmentRoot();
  const nearest = nearestExisting(folder);
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return ok('cache', `${folder} can be written`);
  } catch {
    return advice(
      'cache',
      `${folder} cannot be made: ${nearest} cannot be written`,
      "Point XDG_CACHE_HOME, or the option 'environments' of python(), at a folder that can. It is needed for 'requirements' and 'pyproject' only.",
    );
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}
