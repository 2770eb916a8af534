import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { toError } from '../../core/index.js';
import type { SnakepitOptions } from '../../runtime/index.js';
import { UsageError } from '../usage-error.js';

/** The options of one pool out of a file that exports those of an application, with as few workers as will do. @throws UsageError */
export async function poolOf(path: string, name: string | undefined): Promise<SnakepitOptions> {
  const given = await exportOf(path);
  const { pools = undefined, adapter = undefined } = given;
  if (typeof pools !== 'object' || pools === null) {
    // An adapter itself is what forRoot takes too.
    const only = adapter === undefined ? { adapter: given } : { ...given, autoscale: false };
    return { ...only, size: 1 } as unknown as SnakepitOptions;
  }
  const names = Object.keys(pools);
  const wanted = name ?? (names.length === 1 ? names[0] : undefined);
  const pool = wanted === undefined ? undefined : (pools as Record<string, object>)[wanted];
  if (pool === undefined) throw new UsageError(`say by --pool which pool of ${path} is meant: ${names.join(', ')}`);
  return { ...pool, size: 1, autoscale: false } as SnakepitOptions;
}

async function exportOf(path: string): Promise<Record<string, unknown>> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
  } catch (error) {
    throw new UsageError(`${path} cannot be loaded: ${toError(error).message}`, { cause: error });
  }
  if (typeof module.default === 'object' && module.default !== null) return module.default as Record<string, unknown>;
  throw new UsageError(`${path} has no default export with the options of SnakepitModule.forRoot`);
}
