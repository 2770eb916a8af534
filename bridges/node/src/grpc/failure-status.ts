/// <reference lib="es2024.string" />
import type { Metadata } from '@grpc/grpc-js';
import type { ErrorBody } from 'nestjs-snakepit/codec';
import { encodeFailure, type FailureInit } from 'nestjs-snakepit/codec/grpc';

import { cutError, FrameTooLarge } from '../failures.js';
import type { Grpc } from './load-grpc.js';
import type { ValueCodec } from './value-codec.js';

export interface RpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Metadata;
}

const FAILURE_KEY = 'snakepit-failure-bin';

/** Metadata has room for about 8 KB, and binary grows by a third in it. */
export const MAX_FAILURE_BYTES = 4096;
const MAX_STATUS_MESSAGE_BYTES = 1024;

/** gRPC's number for each code; see "Failures over gRPC" in proto/PROTOCOL.md. */
const STATUS_OF: Readonly<Record<string, number>> = {
  CANCELLED: 1,
  REMOTE_ERROR: 2,
  INVALID_ARGUMENTS: 3,
  CALL_TIMEOUT: 4,
  FRAME_TOO_LARGE: 8,
  UNKNOWN_COMMAND: 12,
  INVALID_RESULT: 13,
};
const STATUS_UNKNOWN = 2;

/** Never fails: what cannot be sent of an error is left out. */
export function failureOf(error: ErrorBody, values: ValueCodec): FailureInit {
  try {
    const { data, ...texts } = error;
    const failure: FailureInit = data === undefined ? texts : { ...texts, data: values.encode(data, 'error.data') };
    const bytes = encodeFailure(failure).length;
    if (bytes > values.maxFrameBytes) throw new FrameTooLarge('error', bytes, values.maxFrameBytes);
    return failure;
  } catch (reason) {
    return cutError(error, reason);
  }
}

/** What is left of a failure that is too large for metadata. */
export function abridge({ code, message = '', started, serviceUs, notices }: FailureInit): FailureInit {
  return { code, message: cutText(message), started, serviceUs, notices, abridged: true };
}

export function statusOf({ Metadata }: Grpc, failure: FailureInit): RpcStatus {
  const metadata = new Metadata();
  metadata.set(FAILURE_KEY, encodeFailure(failure));
  const { code = '', message = '' } = failure;
  return { code: STATUS_OF[code] ?? STATUS_UNKNOWN, details: cutText(message), metadata };
}

/** The first bytes of a text, without a broken character at the end; gRPC refuses lone surrogates. */
function cutText(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_STATUS_MESSAGE_BYTES) return text.toWellFormed();
  let end = MAX_STATUS_MESSAGE_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
