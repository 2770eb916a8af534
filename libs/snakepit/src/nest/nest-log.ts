import { Logger } from '@nestjs/common';

import type { LogLevel, LogRecord } from '../runtime/index.js';

const WRITERS = {
  debug: (...line) => Logger.debug(...line),
  info: (...line) => Logger.log(...line),
  warn: (...line) => Logger.warn(...line),
  error: (...line) => Logger.error(...line),
  fatal: (...line) => Logger.fatal(...line),
} satisfies Record<LogLevel, (...line: [message: unknown, ...rest: unknown[]]) => void>;

/** Writes to Nest's Logger; the context names the worker, or the pool, that speaks. */
export function writeToNestLog(record: LogRecord): void {
  const fields = fieldsOf(record);
  const context = contextOf(record);
  if (fields === undefined) WRITERS[record.level](record.message, context);
  else WRITERS[record.level](record.message, fields, context);
}

function contextOf({ pool, worker }: LogRecord): string {
  const speaker = worker ?? pool;
  return speaker === undefined ? 'Snakepit' : `Snakepit/${speaker}`;
}

/** Nest keeps a plain object apart from the message: as `params` of a JSON line, behind the text otherwise. */
function fieldsOf({ logger, fields }: LogRecord): Record<string, unknown> | undefined {
  if (logger === undefined) return fields;
  return { ...fields, logger };
}
