import { boundedText } from './bounded-text.js';
import { LOG_LEVELS, type LogLevel } from '../core/index.js';

/** What a worker tells of a failed call; the same map is v1's `error_details`. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  /** Name of the exception's class. */
  readonly type?: string;
  readonly traceback?: string;
  readonly data?: unknown;
  /** Whether the command had begun; absent where the code tells. */
  readonly started?: boolean;
}

/** The body of a LOG frame. */
export interface LogBody {
  readonly level: LogLevel;
  readonly message: string;
  readonly logger?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Name of the event that brings the spans which a worker has recorded; all names that begin with `snakepit.` are reserved. */
export const SPANS_EVENT = 'snakepit.spans';

/** The body of an EVENT frame. */
export interface EventBody {
  readonly name: string;
  readonly data: unknown;
}

/** The body of a HOST_CALL frame. */
export interface HostCallBody {
  readonly method: string;
  readonly args: unknown;
  /** Id of the running call on whose behalf the worker asks. */
  readonly call?: number;
  /** The span in the worker that asks. */
  readonly trace?: { readonly traceparent: string; readonly tracestate?: string };
}

/** What goes before the arguments of a CALL with `Flag.META`. */
export interface CallMeta {
  readonly session?: string;
  readonly command?: string;
  readonly trace?: { readonly traceparent?: string; readonly tracestate?: string };
  readonly context?: Readonly<Record<string, string>>;
  /** The arguments are a list of those of several calls. */
  readonly batch?: boolean;
}

/**
 * Reads an error body however it looks: a failed call must end as a failed call. What is missing or of a wrong type
 * is filled in or left out.
 */
export function parseErrorBody(value: unknown): ErrorBody {
  if (!isMap(value)) {
    return { code: 'REMOTE_ERROR', message: typeof value === 'string' ? value : 'the worker gave no reason' };
  }
  const { code, message, type, traceback, data, started } = value;
  return {
    code: typeof code === 'string' ? code : 'REMOTE_ERROR',
    message: typeof message === 'string' ? message : 'the worker gave no reason',
    ...(typeof type === 'string' && { type }),
    ...(typeof traceback === 'string' && { traceback }),
    ...(data !== undefined && data !== null && { data }),
    ...(typeof started === 'boolean' && { started }),
  };
}

/** Reads a log record; a record that is no map becomes a message of level info. */
export function parseLogBody(value: unknown): LogBody {
  if (!isMap(value)) return { level: 'info', message: asText(value) };
  const { level, message, logger, fields } = value;
  return {
    level: LOG_LEVELS.includes(level as LogLevel) ? (level as LogLevel) : 'info',
    message: asText(message),
    ...(typeof logger === 'string' && { logger }),
    ...(isMap(fields) && { fields }),
  };
}

export function parseEventBody(value: unknown): EventBody | undefined {
  if (!isMap(value) || typeof value['name'] !== 'string') return undefined;
  return { name: value['name'], data: value['data'] ?? null };
}

/** Undefined when the worker asked in a way that cannot be understood. */
export function parseHostCallBody(value: unknown): HostCallBody | undefined {
  if (!isMap(value) || typeof value['method'] !== 'string') return undefined;
  const { method, args, call } = value;
  const trace = hostCallTrace(value['trace']);
  return { method, args: args ?? null, ...(typeof call === 'number' && { call }), ...(trace && { trace }) };
}

function hostCallTrace(value: unknown): HostCallBody['trace'] {
  if (!isMap(value) || typeof value['traceparent'] !== 'string') return undefined;
  const { traceparent, tracestate } = value;
  return { traceparent, ...(typeof tracestate === 'string' && { tracestate }) };
}

/** Reads a call's meta; members that are unknown or of a wrong type are left out. */
export function parseCallMeta(value: unknown): CallMeta {
  if (!isMap(value)) return {};
  const { session, command, trace, context, batch } = value;
  return {
    ...(typeof session === 'string' && { session }),
    ...(typeof command === 'string' && { command }),
    ...(isMap(trace) && { trace: stringsOf(trace) }),
    ...(isMap(context) && { context: stringsOf(context) }),
    ...(batch === true && { batch }),
  };
}

export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(value instanceof Date) && !ArrayBuffer.isView(value);
}

function stringsOf(map: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(isTextEntry));
}

function isTextEntry(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string';
}

function asText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : boundedText(value);
}
