import { randomUUID } from 'node:crypto';

/** Whether the command's code can have run when the call failed. */
export type Delivery = 'not-started' | 'may-have-run' | 'ran';

/** Facts an error carries; numbers and names a person needs to act. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

interface ErrorRule {
  /** What happened and what to do about it, built from the error's details. */
  readonly message: (details: ErrorDetails) => string;
  readonly delivery: Delivery;
  /** Whether the same call may succeed when made again unchanged. */
  readonly retryable: boolean;
  readonly httpStatus: number;
  /** Numeric code of https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
  readonly grpcStatus: number;
}

const text = (value: unknown, fallback = ''): string => {
  if (value === undefined || value === null) return fallback;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? fallback);
};
const inPool = (d: ErrorDetails): string => (d['pool'] === undefined ? '' : ` in pool '${text(d['pool'])}'`);
const ofCommand = (d: ErrorDetails): string => (d['command'] === undefined ? 'The call' : `'${text(d['command'])}'`);
const because = (d: ErrorDetails): string => (d['reason'] === undefined ? '' : `: ${text(d['reason'])}`);

/** What the queue is too long for, and the option that allows more. */
const saturation = (d: ErrorDetails): { limit: string; option: string } => {
  if (d['waitMs'] !== undefined) {
    const limit = `, about ${text(d['waitMs'])} ms of work, and the call may wait ${text(d['mayWaitMs'])} ms`;
    return { limit, option: text(d['option'], 'timeoutMs') };
  }
  if (d['maxQueueBytes'] === undefined) return { limit: ` (maxQueue ${text(d['maxQueue'])})`, option: 'maxQueue' };
  const limit = ` with arguments of ${text(d['queuedBytes'])} bytes (maxQueueBytes ${text(d['maxQueueBytes'])})`;
  return { limit, option: 'maxQueueBytes' };
};
/** A call that was given up before its time was over, and one whose time in the queue is over. */
const queueWait = (d: ErrorDetails): { why: string; option: string } =>
  d['neededMs'] === undefined
    ? { why: `queueTimeoutMs ${text(d['queueTimeoutMs'])}`, option: 'queueTimeoutMs' }
    : { why: `it needs ${text(d['neededMs'])} ms and has ${text(d['leftMs'])} left`, option: 'timeoutMs' };

const rule = (
  message: (details: ErrorDetails) => string,
  delivery: Delivery,
  retryable: boolean,
  httpStatus: number,
  grpcStatus: number,
): ErrorRule => ({ message, delivery, retryable, httpStatus, grpcStatus });

/**
 * Every error this library throws: code → message, delivery, retryability, HTTP and gRPC status.
 * The reference page, the HTTP filter and the wire's error bodies all read this table.
 */
export const ERRORS = {
  INVALID_OPTIONS: rule((d) => `Invalid options${because(d)}`, 'not-started', false, 500, 9),
  MISUSE: rule((d) => text(d['reason'], 'The library is used in a way that cannot work'), 'not-started', false, 500, 9),
  INTERPRETER_NOT_FOUND: rule(
    (d) =>
      `No ${text(d['language'], 'runtime')} ${text(d['option'], 'interpreter')} found (tried ${text(d['tried'], 'the PATH')})${because(d)}. ` +
      `Install it${d['source'] === undefined ? '' : ` (${text(d['source'])})`} or name one with the adapter's '${text(d['option'], 'interpreter')}' option.`,
    'not-started',
    false,
    500,
    9,
  ),
  ENVIRONMENT_FAILED: rule(
    (d) =>
      `The Python environment could not be made${because(d)}\n` +
      `Mend 'requirements', 'pyproject' or the way to the package index, or give an environment of your own by 'venv'.`,
    'not-started',
    true,
    503,
    14,
  ),
  BUILD_FAILED: rule(
    (d) =>
      `The ${text(d['language'], 'worker')} package ${text(d['package'])} could not be built${because(d)}\n` +
      text(d['remedy'], `Mend what is named there; 'binary' takes a program that you have built yourself.`),
    'not-started',
    false,
    503,
    14,
  ),
  WORKER_START_FAILED: rule(
    (d) =>
      `Worker '${text(d['worker'])}' did not start${because(d)}.\n` +
      `  command line: ${text(d['commandLine'], 'unknown')}\n` +
      `  exit:         ${text(d['exit'], 'still running')}\n` +
      `  last stderr:  ${text(d['stderr'], '(nothing)')}\n` +
      `  what to do:   ${text(d['remedy'], 'Run the command line above in a shell and mend what it prints.')}`,
    'not-started',
    true,
    503,
    14,
  ),
  WORKER_UNREACHABLE: rule(
    (d) =>
      `Worker '${text(d['worker'])}'${inPool(d)} cannot be attached to${because(d)}.\n` +
      `  what to do:   ${text(d['remedy'], 'See what the worker logs.')}`,
    'not-started',
    true,
    503,
    14,
  ),
  POOL_NOT_FOUND: rule(
    (d) => `There is no pool '${text(d['pool'])}'. Pools of this module: ${text(d['known'], 'none')}.`,
    'not-started',
    false,
    500,
    5,
  ),
  POOL_NOT_READY: rule((d) => `Pool '${text(d['pool'])}' is not ready${because(d)}.`, 'not-started', true, 503, 14),
  POOL_CLOSED: rule(
    (d) => `Pool '${text(d['pool'])}' is closed and takes no more calls.`,
    'not-started',
    false,
    503,
    14,
  ),
  POOL_SATURATED: rule(
    (d) =>
      `Pool '${text(d['pool'])}' is saturated${because(d)}: ${text(d['queued'])} calls wait${saturation(d).limit}, ` +
      `${text(d['busy'])} of ${text(d['workers'])} workers are busy. Retry later, or raise 'size' or '${saturation(d).option}'.`,
    'not-started',
    true,
    503,
    8,
  ),
  QUEUE_TIMEOUT: rule(
    (d) =>
      `${ofCommand(d)} waited ${text(d['waitedMs'])} ms for a worker${inPool(d)} (${queueWait(d).why}; ` +
      `${text(d['queued'])} waiting, ${text(d['busy'])} of ${text(d['workers'])} workers busy). It never started. ` +
      `Retry later, or raise 'size' or '${queueWait(d).option}'.`,
    'not-started',
    true,
    503,
    14,
  ),
  CALL_TIMEOUT: rule(
    (d) =>
      `${ofCommand(d)} did not finish within ${text(d['timeoutMs'])} ms${inPool(d)} ` +
      `(${text(d['waitedMs'], '0')} ms of it in the queue). Raise 'timeoutMs' or make the command faster.`,
    'may-have-run',
    false,
    504,
    4,
  ),
  CANCELLED: rule((d) => `${ofCommand(d)} was cancelled${because(d)}.`, 'may-have-run', false, 499, 1),
  WORKER_EXITED: rule(
    (d) =>
      `Worker '${text(d['worker'])}' exited (${text(d['exit'])})${d['command'] === undefined ? '' : ` with ${ofCommand(d)} in its hands`}${inPool(d)}.`,
    'may-have-run',
    true,
    503,
    14,
  ),
  WORKER_LOST: rule(
    (d) => `Worker '${text(d['worker'])}' stopped answering${because(d)}; it is replaced.`,
    'may-have-run',
    true,
    503,
    14,
  ),
  COMMAND_TAINTED: rule(
    (d) =>
      `${ofCommand(d)} is not given to workers${inPool(d)}: ${text(d['deaths'], 'several')} of them died of it within ` +
      `${text(d['windowMs'], 'some')} ms (the last: ${text(d['lastExit'], 'unknown')}). Mend the command; in ` +
      `${text(d['retryAfterMs'], 'some')} ms one call of it is let through to see whether it kills again.`,
    'not-started',
    true,
    503,
    14,
  ),
  UNKNOWN_COMMAND: rule(
    (d) =>
      `No command ${ofCommand(d)}${inPool(d)}` +
      // What a worker refused by itself, it has explained by itself.
      (d['reason'] === undefined ? `. Known commands: ${text(d['known'], 'none')}.` : because(d)),
    'not-started',
    false,
    404,
    12,
  ),
  INVALID_ARGUMENTS: rule((d) => `Invalid arguments for ${ofCommand(d)}${because(d)}`, 'not-started', false, 422, 3),
  INVALID_RESULT: rule(
    (d) =>
      `${ofCommand(d)} returned something that ${d['path'] !== undefined ? 'it does not declare' : 'cannot be sent'}${because(d)}`,
    'ran',
    false,
    502,
    13,
  ),
  REMOTE_ERROR: rule(
    (d) => `${ofCommand(d)} raised ${text(d['type'], 'an error')}: ${text(d['reason'])}`,
    'ran',
    false,
    500,
    2,
  ),
  PROTOCOL_ERROR: rule(
    (d) => `Worker '${text(d['worker'])}' broke the wire protocol${because(d)}; it is replaced.`,
    'may-have-run',
    false,
    502,
    13,
  ),
  FRAME_TOO_LARGE: rule(
    (d) =>
      `${text(d['what'], 'A frame')} of ${text(d['bytes'], 'too many')} bytes exceeds maxFrameBytes (${text(d['maxFrameBytes'])}). ` +
      `Send less at once, use a stream, or raise 'maxFrameBytes'.`,
    'not-started',
    false,
    413,
    8,
  ),
  INPUT_FAILED: rule(
    (d) => `The input of ${ofCommand(d)} failed${inPool(d)}${because(d)}`,
    'may-have-run',
    false,
    500,
    13,
  ),
  UNSUPPORTED: rule((d) => `${ofCommand(d)} cannot be done${inPool(d)}${because(d)}`, 'not-started', false, 501, 12),
  SESSION_NOT_FOUND: rule(
    (d) => `There is no session '${text(d['session'])}'; it was never created, or it was deleted or has expired.`,
    'not-started',
    false,
    404,
    5,
  ),
  SESSION_EXISTS: rule((d) => `Session '${text(d['session'])}' exists already.`, 'not-started', false, 409, 6),
  SESSION_LIMIT: rule(
    (d) =>
      `The session store is full (${text(d['limit'])} ${text(d['what'], 'sessions')}). Delete some, let them expire sooner, ` +
      `or raise '${text(d['option'], 'maxSessions')}'.`,
    'not-started',
    true,
    503,
    8,
  ),
  SESSION_WORKER_UNAVAILABLE: rule(
    (d) => `The worker of session '${text(d['session'])}' is ${text(d['reason'], 'not available')}${inPool(d)}.`,
    'not-started',
    true,
    503,
    14,
  ),
  NESTED_TOO_DEEP: rule(
    (d) =>
      `${ofCommand(d)} was called inside a tool${inPool(d)}, ${text(d['depth'])} calls deep; 'nested.maxDepth' is ` +
      `${text(d['maxDepth'])}. A tool and a command that call each other without end? Else raise it.`,
    'not-started',
    false,
    500,
    9,
  ),
  NESTED_DEADLOCK: rule(
    (d) =>
      `${ofCommand(d)} was called inside a tool and would wait for ever${inPool(d)}: ${text(d['held'], 'every worker is held')} ` +
      `by calls that wait for it, directly or not${because(d)}. ${text(d['remedy'], `Raise 'nested.maxExtraWorkers' or 'size'`)}.`,
    'not-started',
    true,
    503,
    8,
  ),
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof ERRORS;

/** What a worker tells of the exception its command raised. */
export interface RemoteFailure {
  /** Name of the exception's class, such as `ValueError`. */
  readonly type: string;
  readonly message: string;
  /** The worker's own rendering of the stack; empty when it sent none. */
  readonly traceback: string;
  /** Structured data that the exception carried. */
  readonly data: unknown;
}

export interface SnakepitErrorOptions {
  readonly cause?: unknown;
  /** Overrides the table where more is known, such as a cancelled call that never started. */
  readonly delivery?: Delivery;
  readonly remote?: RemoteFailure;
}

/**
 * The one error class of the library; `code` is a key of {@link ERRORS}.
 *
 * `delivery` says whether the command ran, `retryable` whether to try again, `details` carries the numbers behind
 * the message and `remote` the worker's exception for `REMOTE_ERROR`.
 */
export class SnakepitError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'SnakepitError';
  readonly delivery: Delivery;
  readonly remote: RemoteFailure | undefined;
  #id: string | undefined;
  #instance: string | undefined;

  constructor(
    readonly code: Code,
    readonly details: ErrorDetails = {},
    options: SnakepitErrorOptions = {},
  ) {
    super(ERRORS[code].message(details), options.cause === undefined ? undefined : { cause: options.cause });
    this.delivery = options.delivery ?? ERRORS[code].delivery;
    this.remote = options.remote;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  /** A UUID of this very error: what a client that is told little of it can be found by in the log. */
  get id(): string {
    this.#id ??= randomUUID();
    return this.#id;
  }

  /** @internal The Snakepit instance whose pool has failed the call; undefined for what is no failure of a call. */
  get instance(): string | undefined {
    return this.#instance ?? (isSnakepitError(this.cause) ? this.cause.instance : undefined);
  }

  /** @internal Says of which instance it is, unless it was said before. */
  claim(instance: string): void {
    this.#instance ??= instance;
  }

  get httpStatus(): number {
    return ERRORS[this.code].httpStatus;
  }

  get grpcStatus(): number {
    return ERRORS[this.code].grpcStatus;
  }

  /** The error as data, for logs and HTTP bodies; stack traces of host and worker stay out. */
  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      delivery: this.delivery,
      retryable: this.retryable,
      ...(this.remote && { remote: { type: this.remote.type, message: this.remote.message, data: this.remote.data } }),
    };
  }
}

export function isSnakepitError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is SnakepitError<Code> {
  return error instanceof SnakepitError && (code === undefined || error.code === code);
}

/** Turns whatever was thrown into an Error, once, at the boundary; never throws itself. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  if (typeof thrown !== 'object' || thrown === null) return new Error(String(thrown));
  try {
    return new Error(JSON.stringify(thrown));
  } catch {
    return new Error(Object.prototype.toString.call(thrown));
  }
}
