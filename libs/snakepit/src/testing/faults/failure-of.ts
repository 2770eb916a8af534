import { toCallerError, type ChannelName } from '../../channel/remote-failure.js';
import type { SnakepitError } from '../../core/index.js';

/** What a worker is to say of a call that fails. */
export type FaultError =
  /** Thrown by the command; a member `data` is carried along. */
  | Error
  | {
      /** By default REMOTE_ERROR. */
      readonly code?: 'REMOTE_ERROR' | 'INVALID_ARGUMENTS' | 'INVALID_RESULT' | 'CANCELLED' | 'CALL_TIMEOUT';
      /** Class of what was raised, such as `ValueError`. */
      readonly type?: string;
      readonly message: string;
      readonly traceback?: string;
      readonly data?: unknown;
    };

/** What the caller gets for it, made as it is of what real workers say. */
export function failureOf(given: FaultError, command: string, name: ChannelName): SnakepitError {
  if (!(given instanceof Error)) return toCallerError({ code: 'REMOTE_ERROR', ...given }, command, name);
  const { message, stack = '' } = given;
  const data = (given as { data?: unknown }).data;
  const type = given.constructor.name || given.name;
  const body = { code: 'REMOTE_ERROR', type, message, traceback: stack, ...(data !== undefined && { data }) };
  return toCallerError(body, command, name);
}
