import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { SnakepitError } from '../core/index.js';

/** Where the SDKs lie, seen from this file: inside the installed package, or beside `libs` in the repository. */
const ROOTS = ['../../bridges/', '../../../../bridges/'];

/** Absolute path of a file or folder of one of the SDKs, such as `node/dist/worker.js`. */
export function locateBridge(path: string): string {
  const candidates = ROOTS.map((root) => fileURLToPath(new URL(root + path, import.meta.url)));
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw new SnakepitError('MISUSE', {
    reason: `The worker SDK file '${path}' is missing (looked for ${candidates.join(' and ')}). Reinstall nestjs-snakepit; in its repository run 'npm run build'.`,
  });
}
