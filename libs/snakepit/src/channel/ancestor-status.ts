import { SnakepitError } from '../core/index.js';
import { describeStatus, isBrokenRpc, Status, statusError } from './grpc-failure.js';
import type { GrpcStatus } from './grpc-library.js';
import type { ChannelName } from './remote-failure.js';

/** What an RPC that failed means for its call, and for the worker. */
export type FailedRpc =
  /** The bridge is through with the call. */
  | { readonly worker: 'free'; readonly error: SnakepitError }
  /** Whether the command still runs, nobody knows: the worker has to go. Without an error, the call shares its fate. */
  | { readonly worker: 'lost'; readonly error?: SnakepitError }
  /** The two do not understand each other. */
  | { readonly worker: 'broken'; readonly error: SnakepitError };

/**
 * Reads the status of an RPC of the ancestor's service, where a bridge tells failures in its answers: what comes as a status was set by
 * its gRPC library, for one because the code behind the RPC raised, or by what lies between. See "The ancestor's gRPC service" in
 * proto/PROTOCOL.md.
 */
export function readFailedRpc(status: GrpcStatus, command: string, name: ChannelName): FailedRpc {
  const reason = describeStatus(status);
  const details = { command, ...name, reason };
  if (isBrokenRpc(status)) return { worker: 'lost' };
  switch (status.code) {
    case Status.DEADLINE_EXCEEDED:
      return { worker: 'lost', error: statusError(status, command, name) };
    case Status.RESOURCE_EXHAUSTED:
      return { worker: 'free', error: statusError(status, command, name) };
    case Status.UNAUTHENTICATED:
      return { worker: 'broken', error: statusError(status, command, name) };
    case Status.UNIMPLEMENTED:
      return { worker: 'free', error: new SnakepitError('UNSUPPORTED', details) };
    default:
      return { worker: 'free', error: raised(reason, details) };
  }
}

function raised(reason: string, details: object): SnakepitError {
  const remote = { type: 'Error', message: reason, traceback: '', data: undefined };
  return new SnakepitError('REMOTE_ERROR', { ...details }, { delivery: 'may-have-run', remote });
}
