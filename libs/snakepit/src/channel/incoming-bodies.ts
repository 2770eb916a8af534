import { ProtocolViolation } from '../codec/index.js';
import { isPlainObject, LOG_LEVELS, type LogLevel } from '../core/index.js';

/** Body of a LOG frame; a level that is not known counts as `info`. */
export function parseLogBody(body: unknown): {
  level: LogLevel;
  message: string;
  logger?: string;
  fields?: Record<string, unknown>;
} {
  if (!isPlainObject(body)) throw new ProtocolViolation('a log record is not a map');
  const { level, message, logger, fields } = body;
  return {
    level: LOG_LEVELS.find((known) => known === level) ?? 'info',
    message: typeof message === 'string' ? message : JSON.stringify(message ?? ''),
    ...(typeof logger === 'string' && { logger }),
    ...(isPlainObject(fields) && { fields }),
  };
}

/** Body of an EVENT frame. */
export function parseEventBody(body: unknown): { name: string; data: unknown } {
  if (!isPlainObject(body) || typeof body['name'] !== 'string') throw new ProtocolViolation('an event has no name');
  return { name: body['name'], data: body['data'] };
}

/** Body of a HOST_CALL frame; `call` is 0 when the worker names none. */
export function parseHostCallBody(body: unknown): { method: string; args: unknown; call: number } {
  if (!isPlainObject(body) || typeof body['method'] !== 'string') throw new ProtocolViolation('a host call has no method');
  const call = body['call'];
  return { method: body['method'], args: body['args'], call: typeof call === 'number' ? call : 0 };
}
