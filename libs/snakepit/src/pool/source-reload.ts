import { resolve } from 'node:path';

import { isSnakepitError, SnakepitError, toError, type Clock, type LogLevel, type LogSink } from '../core/index.js';
import type { Sources } from '../worker/index.js';
import type { ResolvedPoolOptions } from './options.js';
import { SourceWatcher } from './source-watcher.js';

export interface SourceReloadParts {
  readonly pool: string;
  readonly options: Pick<ResolvedPoolOptions, 'watch'>;
  /** What the adapter knows of its sources. */
  readonly sources: Sources | undefined;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly reload: () => Promise<void>;
}

/**
 * Has a pool reloaded whenever its sources change; undefined where nothing is to be watched.
 *
 * @throws SnakepitError INVALID_OPTIONS when `watch` does not say what, or names what does not exist.
 */
export function watchSources(parts: SourceReloadParts): SourceWatcher | undefined {
  const { pool, clock, log, options, sources } = parts;
  const { watch } = options;
  if (watch === false) return undefined;
  const say = (level: LogLevel, message: string): void => log({ level, pool, message });
  const paths = watch === true ? (sources?.folders ?? []) : watch.map((path) => resolve(path));
  if (paths.length === 0)
    throw refused(pool, 'is true, but the adapter does not know where its sources lie; list the paths');
  try {
    return new SourceWatcher({
      paths,
      extensions: watch === true ? sources?.extensions : undefined,
      clock,
      onChange: (path) => void reload(parts, path, say),
      onProblem: (message) => say('warn', message),
    });
  } catch (error) {
    throw refused(pool, `names what cannot be watched: ${toError(error).message}`);
  }
}

async function reload(
  parts: SourceReloadParts,
  path: string,
  say: (level: LogLevel, message: string) => void,
): Promise<void> {
  const { clock, reload: replaceAll } = parts;
  const startedAt = clock.now();
  try {
    await replaceAll();
    say('info', `${path} has changed; all workers were replaced in ${Math.round(clock.now() - startedAt)} ms`);
  } catch (error) {
    // A pool that closes in the meantime has nothing to tell.
    if (isSnakepitError(error, 'POOL_CLOSED')) return;
    const why = toError(error).message;
    say('error', `${path} has changed, and workers with the new code do not start; the old ones stay. ${why}`);
  }
}

function refused(pool: string, what: string): SnakepitError {
  return new SnakepitError('INVALID_OPTIONS', { pool, reason: `'watch' of pool '${pool}' ${what}.`, option: 'watch' });
}
