import type { PacketMetadata, ReadPacket } from '@nestjs/microservices';

import { describeValue, isPlainObject } from '../core/index.js';
import { SnakepitError, type CallOptions } from '../runtime/index.js';
import type { ResolvedClientOptions } from './client.options.js';
import { SnakepitRecord } from './snakepit.record-builder.js';

/** The call that a packet of a client means. */
export interface PacketCall {
  readonly command: string;
  readonly args: unknown;
  readonly options: CallOptions;
}

/** @throws SnakepitError INVALID_ARGUMENTS for a pattern that names no command */
export function packetCallOf({ pattern, data, metadata }: ReadPacket, options: ResolvedClientOptions): PacketCall {
  const { timeoutMs, priority } = options;
  const record = data instanceof SnakepitRecord ? data : new SnakepitRecord<unknown>(data);
  return {
    command: commandOf(pattern),
    args: record.data,
    options: { timeoutMs, priority, ...record.options, ...factsOf(metadata, record.options) },
  };
}

/** A command's name, or `{ cmd: name }` as Nest's examples have it. */
function commandOf(pattern: unknown): string {
  const command = isPlainObject(pattern) && Object.keys(pattern).length === 1 ? pattern['cmd'] : pattern;
  if (typeof command === 'string' && command !== '') return command;
  const reason = `the pattern is ${describeValue(pattern)}; give the name of a command, or { cmd: name }`;
  throw new SnakepitError('INVALID_ARGUMENTS', { reason });
}

/** What a dispatch hook of the client wrote beside the data, a trace and values of the context; the record's own win. */
function factsOf(metadata: PacketMetadata | undefined, given: CallOptions): Pick<CallOptions, 'trace' | 'context'> {
  if (metadata === undefined) return {};
  const { traceparent, tracestate, ...context } = metadata;
  const trace =
    traceparent === undefined ? undefined : { traceparent, ...(tracestate !== undefined && { tracestate }) };
  return { trace: given.trace ?? trace, context: { ...context, ...given.context } };
}
