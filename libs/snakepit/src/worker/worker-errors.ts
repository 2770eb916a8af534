import type { ChannelCall, ChannelName } from '../channel/index.js';
import { SnakepitError } from '../core/index.js';
import { describeExit, type ExitCause } from './exit-cause.js';
import type { DrainReason } from './worker-state.js';

/** Why a call has no answer whose worker sent what no worker may send. */
export function protocolBroken(name: ChannelName, { command }: ChannelCall, reason: string): SnakepitError {
  return new SnakepitError('PROTOCOL_ERROR', { ...name, command, reason });
}

/** The same of a worker whose connection is lost. */
export function connectionLost(name: ChannelName, { command }: ChannelCall, reason: string): SnakepitError {
  return new SnakepitError('WORKER_LOST', { ...name, command, reason });
}

/** The same of a worker that is gone; `reason` tells why it took no more calls before. */
export function workerGone(
  name: ChannelName,
  call: ChannelCall,
  cause: ExitCause,
  reason: DrainReason | undefined,
): SnakepitError {
  if (reason === 'frozen') return connectionLost(name, call, 'no heartbeat');
  if (cause.kind === 'disconnected') return connectionLost(name, call, cause.message);
  return new SnakepitError('WORKER_EXITED', { ...name, command: call.command, exit: describeExit(cause) });
}
