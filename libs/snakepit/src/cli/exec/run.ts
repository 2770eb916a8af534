import type { Readable } from 'node:stream';

import { Snakepit, type CommandManifest, type ExecuteOptions, type PoolService } from '../../runtime/index.js';
import { EXIT_STATUSES, statusOfSignal } from '../exit-status.js';
import { readJsonArgument } from '../json-argument.js';
import { tellFailure } from '../tell-failure.js';
import { UsageError } from '../usage-error.js';
import { chosenAdapter, type WorkerChoice } from '../worker-choice.js';
import { describeCommands } from './describe-commands.js';
import { openInput } from './input-file.js';
import { Leaving } from './leaving.js';
import { Output } from './output.js';
import { StatusLine } from './status-line.js';
import { workerLog } from './worker-log.js';

/** What commander makes of the options of `exec`. */
export interface ExecOptions extends WorkerChoice {
  readonly stream?: boolean;
  readonly timeout?: number;
  readonly session?: string;
  readonly input?: string;
  readonly out?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Whoever leaves wants the shell back: a worker that does not heed is not waited for. */
const TIMING = { cancelGraceMs: 500, killGraceMs: 1_000, drainTimeoutMs: 1_000 };

/**
 * Starts one worker, makes one call, and ends it. Returns the exit status.
 *
 * @throws UsageError, or SnakepitError for options that cannot be right
 */
export async function runExec(
  command: string | undefined,
  givenArgs: string | undefined,
  options: ExecOptions,
): Promise<number> {
  if (givenArgs === '-' && options.input === '-') {
    throw new UsageError('arguments and input cannot both be read from stdin: give the arguments as @FILE');
  }
  const adapter = await chosenAdapter(options);
  const args = givenArgs === undefined ? null : await readJsonArgument(givenArgs, process.stdin);
  const input = options.input === undefined ? undefined : await openInput(options.input);
  const status = new StatusLine(process.stderr, options.quiet !== true && process.stderr.isTTY);
  const leaving = new Leaving();
  const snakepit = new Snakepit({ adapter, size: 1, ...TIMING }, { log: workerLog(status, options) });
  const pool = snakepit.pool();
  try {
    leaving.signal.addEventListener('abort', () => void snakepit.close(), { once: true });
    await snakepit.start();
    if (command === undefined) await tellCommands(pool, options);
    else await call({ pool, command, args, input, options, status, signal: leaving.signal });
    return leaving.cause === undefined ? EXIT_STATUSES.done.status : statusOfSignal(leaving.cause);
  } catch (error) {
    status.clear();
    return leaving.cause === undefined ? tellFailure(error) : statusOfSignal(leaving.cause);
  } finally {
    status.clear();
    input?.destroy();
    await snakepit.close();
    leaving.dispose();
  }
}

async function tellCommands(pool: PoolService, { out }: ExecOptions): Promise<void> {
  const output = await Output.open(out, true);
  await output.text(describeCommands(pool.commands));
  await output.close();
}

interface Call {
  readonly pool: PoolService;
  readonly command: string;
  readonly args: unknown;
  readonly input: Readable | undefined;
  readonly options: ExecOptions;
  readonly status: StatusLine;
  readonly signal: AbortSignal;
}

async function call({ pool, command, args, input, options, status, signal }: Call): Promise<void> {
  const isStream = options.stream === true || kindOf(command, pool.commands) === 'stream';
  const output = await Output.open(options.out, !isStream);
  const callOptions: ExecuteOptions = {
    signal,
    ...(options.timeout !== undefined && { timeoutMs: options.timeout }),
    ...(options.session !== undefined && { session: options.session }),
    ...(input !== undefined && { input }),
    ...(status.isShown && { onProgress: (value: unknown) => status.progress(value) }),
  };
  try {
    if (isStream) await writeItems(pool.iterate(command, args, callOptions), output, status);
    else await output.value(await pool.execute(command, args, callOptions));
  } finally {
    await output.close();
  }
}

async function writeItems(items: AsyncIterable<unknown>, output: Output, status: StatusLine): Promise<void> {
  for await (const item of items) {
    status.clear();
    await output.value(item);
  }
}

function kindOf(
  command: string,
  commands: readonly CommandManifest[] | undefined,
): CommandManifest['kind'] | undefined {
  return commands?.find(({ name }) => name === command)?.kind;
}
