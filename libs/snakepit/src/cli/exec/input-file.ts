import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';

import { toError } from '../../core/index.js';
import { UsageError } from '../usage-error.js';

/**
 * The bytes of a file, or of stdin for `-`.
 *
 * @throws UsageError for a file that cannot be read
 */
export async function openInput(path: string): Promise<Readable> {
  if (path === '-') return process.stdin;
  try {
    return (await open(path)).createReadStream();
  } catch (error) {
    throw new UsageError(`the input cannot be read: ${toError(error).message}`, { cause: error });
  }
}
