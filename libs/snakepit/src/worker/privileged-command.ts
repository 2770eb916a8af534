import type { LaunchSpec } from './launch-spec.js';
import type { Privileges } from './privileges.js';

export interface Command {
  readonly executable: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

const SHELL = '/bin/sh';

/**
 * What is really started for a spec: its program itself, unless there are privileges that only the process can set for itself
 * before it becomes that program. A shell does so then, and is gone with that.
 */
export function privilegedCommand({ executable, args, privileges }: LaunchSpec): Command {
  if (privileges === undefined) return { executable, args };
  const { uid, gid, nice } = privileges;
  const user = { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
  const steps = stepsOf(privileges);
  if (steps.length === 0 && nice === undefined) return { executable, args, ...user };
  const exec = nice === undefined ? 'exec "$@"' : `exec nice -n ${nice} "$@"`;
  const script = [...steps.map(({ name, command }) => `${command} || ${complaint(name, privileges)}`), exec].join('\n');
  return { executable: SHELL, args: ['-c', script, 'snakepit', executable, ...args], ...user };
}

interface Step {
  readonly name: keyof Privileges;
  readonly command: string;
}

/** The values are numbers, so there is nothing to quote. */
function stepsOf({ umask, memoryBytes, openFiles, processes, cpuSeconds }: Privileges): Step[] {
  const steps: Step[] = [];
  if (umask !== undefined) steps.push({ name: 'umask', command: `umask ${umask.toString(8).padStart(4, '0')}` });
  if (memoryBytes !== undefined) {
    steps.push({ name: 'memoryBytes', command: `ulimit -v ${Math.floor(memoryBytes / 1024)}` });
  }
  if (openFiles !== undefined) steps.push({ name: 'openFiles', command: `ulimit -n ${openFiles}` });
  if (processes !== undefined) {
    // bash and BusyBox call it -u, dash calls it -p.
    steps.push({ name: 'processes', command: `ulimit -u ${processes} 2>/dev/null || ulimit -p ${processes}` });
  }
  if (cpuSeconds !== undefined) {
    // With both limits the same the kernel sends SIGKILL at once, which does not tell why.
    steps.push({ name: 'cpuSeconds', command: `ulimit -S -t ${cpuSeconds} && ulimit -H -t ${cpuSeconds + 1}` });
  }
  return steps;
}

function complaint(name: keyof Privileges, privileges: Privileges): string {
  return `{ echo "snakepit: the system refuses privileges.${name} = ${privileges[name]}" >&2; exit 126; }`;
}
