import type { LogLevel, LogSink } from '../../core/index.js';
import { toJsonText } from '../json-text.js';
import type { StatusLine } from './status-line.js';

interface Loudness {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Shows on stderr what workers log. Beside that of level error, what the library itself says is for those who ask for it. */
export function workerLog(status: StatusLine, { quiet = false, verbose = false }: Loudness): LogSink {
  return ({ level, message, logger, worker, fields }) => {
    if (quiet || !isWanted(level, worker !== undefined, verbose)) return;
    const from = logger === undefined ? '' : ` ${logger}`;
    const more = fields === undefined ? '' : ` ${toJsonText(fields)}`;
    status.line(`[${level}${from}] ${message}${more}`);
  };
}

function isWanted(level: LogLevel, isWorkers: boolean, verbose: boolean): boolean {
  if (verbose) return true;
  if (level === 'debug') return false;
  return isWorkers || level !== 'info';
}
