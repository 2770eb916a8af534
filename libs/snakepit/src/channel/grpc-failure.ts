import { Flag, type Codec, type ErrorBody } from '../codec/index.js';
import { decodeFailure, type Body, type Failure } from '../codec/grpc/index.js';
import { SnakepitError } from '../core/index.js';
import type { GrpcStatus } from './grpc-library.js';
import type { ChannelName } from './remote-failure.js';

/** Numbers of https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  DEADLINE_EXCEEDED: 4,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

const NAMES =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  );

export function describeStatus({ code, details }: GrpcStatus): string {
  return `${NAMES[code] ?? `status ${code}`}${details === '' ? '' : `: ${details}`}`;
}

/** What the worker itself says of a failed call; undefined for a status that comes from somewhere else. */
export function failureOf({ metadata }: GrpcStatus): Failure | undefined {
  const [bytes] = metadata.get('snakepit-failure-bin');
  return Buffer.isBuffer(bytes) ? decodeFailure(bytes) : undefined;
}

export function decodeBody({ data, tagged }: Body, codec: Codec): unknown {
  return codec.decode(data, 0, data.length, tagged ? Flag.TAGGED : 0);
}

export function errorBodyOf(failure: Failure, codec: Codec): ErrorBody {
  const { code, message, type, traceback, data, started } = failure;
  return {
    code,
    message,
    ...(type !== '' && { type }),
    ...(traceback !== '' && { traceback }),
    ...(data !== undefined && { data: decodeBody(data, codec) }),
    ...(started !== undefined && { started }),
  };
}

/** Whether a status that comes without the worker's word means that the two do not understand each other. */
export function isProtocolStatus(code: number): boolean {
  const known: readonly number[] = [
    Status.CANCELLED,
    Status.DEADLINE_EXCEEDED,
    Status.RESOURCE_EXHAUSTED,
    Status.UNAVAILABLE,
  ];
  return !known.includes(code);
}

/** How grpc-js tells that the other side reset an RPC, where that has no status of its own. */
const RESET = /^Received RST_STREAM/;

/** How grpc-js tells of REFUSED_STREAM, by which a server says that it has processed nothing of an RPC (RFC 9113, 8.7). */
const REFUSED = 'Stream refused by server';

/** Whether an RPC certainly was not begun, although it was sent. */
export function isRefusedRpc({ code, details }: GrpcStatus): boolean {
  return code === Status.UNAVAILABLE && details === REFUSED;
}

/** Whether an RPC was broken off: by a reset, a proxy, or the end of its connection. */
export function isBrokenRpc({ code, details }: GrpcStatus): boolean {
  return code === Status.CANCELLED || code === Status.UNAVAILABLE || RESET.test(details);
}

/** The error of a call whose status gRPC itself, a proxy, or a server of another kind has set; the table of proto/PROTOCOL.md. */
export function statusError(status: GrpcStatus, command: string, { pool, worker }: ChannelName): SnakepitError {
  const reason = describeStatus(status);
  const details = { command, pool, worker, reason };
  switch (status.code) {
    case Status.CANCELLED:
      return new SnakepitError('CANCELLED', details);
    case Status.DEADLINE_EXCEEDED:
      return new SnakepitError('CALL_TIMEOUT', details);
    case Status.RESOURCE_EXHAUSTED: {
      const what = `What '${command}' takes or returns (${reason})`;
      return new SnakepitError('FRAME_TOO_LARGE', { ...details, what }, { delivery: 'may-have-run' });
    }
    case Status.UNAVAILABLE:
      return new SnakepitError('WORKER_LOST', details, isRefusedRpc(status) ? { delivery: 'not-started' } : {});
    case Status.UNAUTHENTICATED:
    case Status.UNIMPLEMENTED:
    case Status.FAILED_PRECONDITION:
      return new SnakepitError('PROTOCOL_ERROR', details, { delivery: 'not-started' });
    default:
      return new SnakepitError('PROTOCOL_ERROR', details);
  }
}
