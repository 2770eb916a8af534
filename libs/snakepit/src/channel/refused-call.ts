import type { EncodeError } from '../codec/index.js';
import { SnakepitError } from '../core/index.js';

/** Arguments that have no form on the wire. */
export function refusedArguments(command: string, pool: string, error: EncodeError): SnakepitError {
  const details = { command, pool, path: error.path, reason: error.message };
  return new SnakepitError('INVALID_ARGUMENTS', details, { cause: error });
}

export function argumentsTooLarge(command: string, pool: string, bytes: number, maxFrameBytes: number): SnakepitError {
  const what = `The arguments of '${command}'`;
  return new SnakepitError('FRAME_TOO_LARGE', { what, bytes, maxFrameBytes, command, pool });
}

export function noInput(command: string, pool: string, protocol: string): SnakepitError {
  const reason = `${protocol} cannot carry an input; use protocol 'v2', or send the bytes as an argument`;
  return new SnakepitError('UNSUPPORTED', { command, pool, reason });
}

export function unknownCommand(command: string, pool: string, known: Iterable<string>): SnakepitError {
  return new SnakepitError('UNKNOWN_COMMAND', { command, pool, known: [...known].join(', ') });
}
