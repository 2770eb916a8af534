import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../libs/snakepit/dist/cli/main.js', import.meta.url));

export interface Run {
  /** Undefined where a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string | Uint8Array;
}

/** Starts the built program, as `npx snakepit` does. */
export function startSnakepit(
  args: readonly string[],
  { cwd, env }: Surroundings = {},
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [PROGRAM, ...args], { cwd, env: { ...process.env, ...env } });
}

/** Runs it to its end. */
export async function snakepit(args: readonly string[], { stdin, ...surroundings }: Surroundings = {}): Promise<Run> {
  const child = startSnakepit(args, surroundings);
  // One that refuses its options reads no input.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin ?? '');
  return await endOf(child);
}

export async function endOf(child: ChildProcessWithoutNullStreams): Promise<Run> {
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status: status ?? undefined, stdout, stderr };
}

/** Python has what Node lacks: a terminal for a child. Its status is the child's. */
const TERMINAL = `import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
`;

/** Runs it in a terminal, where stdout and stderr are one. */
export async function inTerminal(args: readonly string[]): Promise<Run> {
  const child = spawn('python3', ['-c', TERMINAL, process.execPath, PROGRAM, ...args]);
  child.stdin.end();
  return await endOf(child);
}
