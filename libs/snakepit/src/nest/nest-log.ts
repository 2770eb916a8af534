import { Logger } from '@nestjs/common';

import type { LogLevel, LogRecord } from '../runtime/index.js';

const WRITERS = {
  debug: (...line) => Logger.debug(...line),
  info: (...line) => Logger.log(...line),
  warn: (...line) => Logger.warn(...line),
  error: (...line) => Logger.error(...line),
  fatal: (...line) => Logger.fatal(...line),
} satisfies Record<LogLevel, (...line: [message: unknown, ...rest: unknown[]]) => void>;

/** Levels at which Nest takes a stack, and shows it as one. */
const WITH_STACK: ReadonlySet<LogLevel> = new Set(['error', 'fatal']);

/** Writes to Nest's Logger; the context names the worker, or the pool, that speaks. */
export function writeToNestLog(record: LogRecord): void {
  const { params, stack } = partsOf(record);
  const rest = [params, stack].filter((part) => part !== undefined);
  WRITERS[record.level](record.message, ...rest, contextOf(record));
}

function contextOf({ pool, worker }: LogRecord): string {
  const speaker = worker ?? pool;
  return speaker === undefined ? 'Snakepit' : `Snakepit/${speaker}`;
}

interface Parts {
  /** Nest keeps a plain object apart from the message: as `params` of a JSON line, behind the text otherwise. */
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly stack: string | undefined;
}

function partsOf({ level, pool, worker, logger, fields, call }: LogRecord): Parts {
  if (logger === undefined && call === undefined) return { params: fields, stack: undefined };
  const { exception, ...others } = fields ?? {};
  const isStack = typeof exception === 'string' && WITH_STACK.has(level);
  const known = {
    ...(exception !== undefined && !isStack && { exception }),
    ...(logger !== undefined && { logger }),
    ...(call !== undefined && callFields(call)),
    ...(pool !== undefined && { pool }),
    ...(worker !== undefined && { worker }),
  };
  return { params: { ...others, ...known }, stack: isStack ? exception : undefined };
}

function callFields({ id, command, traceId, context }: NonNullable<LogRecord['call']>): Record<string, unknown> {
  return {
    call: id,
    command,
    ...(traceId !== undefined && { traceId }),
    ...(context !== undefined && { correlation: context }),
  };
}
