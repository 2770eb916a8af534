import { option, SnakepitError, type OptionsResolved } from '../core/index.js';

const MAX_ID = 2 ** 32 - 2;
const MAX_COUNT = 2 ** 31 - 1;

/** What a pool's processes may do and take; for the zygote and for all that workers start, too. */
export const privilegeOptionTable = {
  uid: option.optionalInteger({
    doc: 'Number of the user that workers run as, without supplementary groups. Needs `gid`, and a host that runs as root.',
    min: 0,
    max: MAX_ID,
  }),
  gid: option.optionalInteger({
    doc: 'Number of the group that workers run as. Needs a host that runs as root.',
    min: 0,
    max: MAX_ID,
  }),
  umask: option.optionalInteger({
    doc: 'Permissions that files made by workers lack, such as `0o077`; default: those of the host.',
    min: 0,
    max: 0o777,
  }),
  nice: option.optionalInteger({
    doc: 'Added to the niceness of the host: the higher, the longer workers stand back for others. Less than 0 needs root.',
    min: -20,
    max: 19,
  }),
  memoryBytes: option.optionalInteger({
    doc: 'Address space of each process (`RLIMIT_AS`); beyond it allocations fail, in Python with MemoryError. Not for Node workers, which reserve many gigabytes: give those `--max-old-space-size`. Not on macOS.',
    unit: 'bytes',
    min: 32 * 1024 * 1024,
    max: 2 ** 52,
  }),
  openFiles: option.optionalInteger({
    doc: 'Open descriptors of each process (`RLIMIT_NOFILE`).',
    min: 16,
    max: MAX_COUNT,
  }),
  processes: option.optionalInteger({
    doc: 'Processes and threads that the user of the workers may have in all, those of others included (`RLIMIT_NPROC`). The system does not hold root to it.',
    min: 1,
    max: MAX_COUNT,
  }),
  cpuSeconds: option.optionalInteger({
    doc: 'CPU time of each process in its whole life (`RLIMIT_CPU`): then it is ended by SIGXCPU, a second later by SIGKILL, and replaced.',
    unit: 's',
    min: 1,
    max: MAX_COUNT,
  }),
};

export type Privileges = OptionsResolved<typeof privilegeOptionTable>;

/** What may be granted depends on it. */
export interface HostSystem {
  readonly platform: NodeJS.Platform;
  /** Undefined where there are no users by number (Windows). */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export function hostSystem(): HostSystem {
  return { platform: process.platform, uid: process.getuid?.(), gid: process.getgid?.() };
}

/** @throws SnakepitError INVALID_OPTIONS for what this host cannot grant; `path` is where the options stand */
export function checkPrivileges(privileges: Privileges, path: string, { platform, uid, gid }: HostSystem): void {
  const refuse = (name: keyof Privileges, reason: string): never => {
    throw new SnakepitError('INVALID_OPTIONS', {
      reason: `'${path}.${name}' is ${privileges[name]}; ${reason}.`,
      option: `${path}.${name}`,
    });
  };
  const first = (Object.keys(privileges) as (keyof Privileges)[]).find((name) => privileges[name] !== undefined);
  if (first === undefined) return;
  if (platform === 'win32') refuse(first, 'Windows has no such thing');
  if (platform === 'darwin' && privileges.memoryBytes !== undefined) refuse('memoryBytes', 'macOS does not enforce it');
  if (privileges.uid !== undefined && privileges.gid === undefined) {
    refuse('uid', `without 'gid' workers would keep the group of the host; give both`);
  }
  if (uid === 0) return checkNice(privileges, refuse);
  const only = `only root may change it, and the host runs as user ${uid} of group ${gid}`;
  if (privileges.uid !== undefined && privileges.uid !== uid) refuse('uid', only);
  if (privileges.gid !== undefined && privileges.gid !== gid) refuse('gid', only);
  if ((privileges.nice ?? 0) < 0)
    refuse('nice', `only root may ask for more than others, and the host runs as user ${uid}`);
}

/** The user has changed by the time that the niceness does. */
function checkNice({ nice = 0, uid }: Privileges, refuse: (name: 'nice', reason: string) => never): void {
  if (nice < 0 && uid !== undefined && uid !== 0) {
    refuse('nice', `user ${uid} may not ask for more than others; leave out 'uid', or this`);
  }
}
