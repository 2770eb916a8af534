/// <reference lib="es2024.string" />
import { EncodeError, type ErrorBody, type LogBody } from 'nestjs-snakepit/codec';

const MAX_CUT_TEXT = 8192;

/** A failure whose code is known: not one that the command raised. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';

  constructor(
    readonly code: string,
    message: string,
    readonly started?: boolean,
  ) {
    super(message);
  }
}

/** A value exceeds `maxFrameBytes`; nothing of it was sent. */
export class FrameTooLarge extends Error {
  override readonly name = 'FrameTooLarge';

  constructor(what: string, bytes: number, maxFrameBytes: number) {
    super(`${what} of ${bytes} bytes exceeds maxFrameBytes (${maxFrameBytes})`);
  }
}

/** The host refused what a command asked of it; to the caller of that command it is what the command raised. */
export class HostError extends Error {
  override readonly name: string = 'HostError';

  constructor(
    readonly code: string,
    message: string,
    /** Class of what was thrown in the host. */
    readonly type?: string,
    /** What that carried. */
    readonly data?: unknown,
  ) {
    super(message);
  }

  /** What the caller of the command is told when the command does not catch this. */
  describe(): { readonly message: string; readonly data: unknown } {
    return { message: this.message, data: { code: this.code } };
  }
}

/**
 * A tool of the host threw, or could not be called: `type`, `message` and `data` are those of what it threw (of an exception of Nest's, `data` is
 * `{ status, body }`), and `code` is REMOTE_ERROR then.
 */
export class ToolError extends HostError {
  override readonly name = 'ToolError';

  constructor(
    readonly tool: string,
    { code, message, type, data }: HostError,
  ) {
    super(code, message, type, data);
  }

  override describe(): { readonly message: string; readonly data: unknown } {
    const { tool, code, type = null, data = null } = this;
    return { message: this.#sentence(), data: { tool, code, type, data } };
  }

  #sentence(): string {
    if (this.code === 'REMOTE_ERROR')
      return `the tool '${this.tool}' threw ${this.type ?? 'an error'}: ${this.message}`;
    return `the tool '${this.tool}' failed (${this.code}): ${this.message}`;
  }
}

/**
 * A message to the host was refused, or its handler threw: `message` and `data` are those of what it threw (the payload of an RpcException
 * is the data), and `code` is REMOTE_ERROR then, or UNKNOWN_PATTERN where nobody answers the pattern.
 */
export class MessageError extends HostError {
  override readonly name = 'MessageError';

  constructor(
    readonly pattern: unknown,
    { code, message, type, data }: HostError,
  ) {
    super(code, message, type, data);
  }

  override describe(): { readonly message: string; readonly data: unknown } {
    const { pattern, code, type = null, data = null } = this;
    const what = `the message ${typeof pattern === 'string' ? `'${pattern}'` : textOf(pattern)} failed`;
    const message = code === 'REMOTE_ERROR' ? `${what}: ${this.message}` : `${what} (${code}): ${this.message}`;
    return { message, data: { pattern, code, type, data } };
  }
}

const SDK_FILES = [new URL('.', import.meta.url).href, decodeURIComponent(new URL('.', import.meta.url).pathname)];

/** Turns what a command threw into an error's body. */
export function errorBodyOf(thrown: unknown): ErrorBody {
  if (thrown instanceof CallFailure) {
    const { code, message, started } = thrown;
    return { code, message, ...(started !== undefined && { started }) };
  }
  if (!(thrown instanceof Error)) {
    return { code: 'REMOTE_ERROR', type: typeof thrown, message: textOf(thrown) };
  }
  const { message, data } = thrown instanceof HostError ? thrown.describe() : (thrown as Error & { data?: unknown });
  return {
    code: 'REMOTE_ERROR',
    type: thrown.constructor.name || thrown.name,
    message: message.toWellFormed(),
    traceback: tracebackOf(thrown).toWellFormed(),
    ...(data !== undefined && { data }),
  };
}

export function invalidResult(error: EncodeError): ErrorBody {
  return { code: 'INVALID_RESULT', message: error.message };
}

/** What answers a call whose result cannot be sent. */
export function unsendable(error: unknown): ErrorBody {
  if (error instanceof FrameTooLarge) return { code: 'FRAME_TOO_LARGE', message: error.message };
  return error instanceof EncodeError ? invalidResult(error) : errorBodyOf(error);
}

export function unknownCommand(name: string, known: Iterable<string>): ErrorBody {
  const message = `there is no command '${name}'; the worker has: ${[...known].join(', ')}`;
  return { code: 'UNKNOWN_COMMAND', message };
}

/** Why the host did not answer: what it said, or that the question could not be sent; undefined for anything else. */
export function hostErrorOf(error: unknown): HostError | undefined {
  if (error instanceof HostError) return error;
  if (!(error instanceof EncodeError) && !(error instanceof FrameTooLarge)) return undefined;
  return new HostError('INVALID_ARGUMENTS', error.message);
}

/** What is sent of an error that cannot be sent as it is, because of `failure`. */
export function cutError({ code, message, type, started }: ErrorBody, failure: unknown): Omit<ErrorBody, 'data'> {
  const note = failure instanceof EncodeError ? ` (its data cannot be sent: ${failure.message})` : '';
  return {
    code,
    message: `${message}${note}`.slice(0, MAX_CUT_TEXT).toWellFormed(),
    ...(type !== undefined && { type }),
    ...(started !== undefined && { started }),
  };
}

/** What is sent of a log record that cannot be sent as it is, because of `failure`. */
export function cutLog({ level, message }: LogBody, failure: unknown): LogBody {
  const text = `${String(message).toWellFormed()} (cannot be sent as it is: ${(failure as Error).message})`;
  return { level, message: text.slice(0, MAX_CUT_TEXT).toWellFormed() };
}

/** The stack without the frames of this SDK and of Node, and those of the causes after it. */
function tracebackOf(error: Error, depth = 0): string {
  const lines = (error.stack ?? `${error.name}: ${error.message}`).split('\n');
  const own = lines.filter((line) => !/^\s+at /.test(line) || !isInner(line)).join('\n');
  const { cause } = error;
  return cause instanceof Error && depth < 8 ? `${own}\nCaused by: ${tracebackOf(cause, depth + 1)}` : own;
}

function isInner(line: string): boolean {
  return line.includes('node:internal/') || SDK_FILES.some((file) => line.includes(file));
}

function textOf(thrown: unknown): string {
  try {
    return (typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown))).toWellFormed();
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}
