import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { locateBridge } from '../../adapters/bridge-location.js';
import { UsageError } from '../usage-error.js';
import { WORKER_TEMPLATES, type WorkerLanguage } from './worker-templates.js';

const TEMPLATES = fileURLToPath(new URL('../../../templates/', import.meta.url));

export interface WorkerWish {
  readonly language: WorkerLanguage;
  /** As it was asked for; each language spells it in its way. */
  readonly name: string;
  readonly folder: string;
}

/** A worker that was written. */
export interface WrittenWorker {
  readonly language: WorkerLanguage;
  readonly folder: string;
  /** As its language spells it. */
  readonly name: string;
  /** What its adapter takes. */
  readonly target: string;
  readonly files: readonly string[];
}

/**
 * Writes a worker and its tests.
 *
 * @throws UsageError for a name that no file should have, and where one of the files is there already: nothing is written then
 */
export async function writeWorker({ language, name: given, folder }: WorkerWish): Promise<WrittenWorker> {
  if (!/^[a-z][a-z0-9_-]*$/.test(given)) {
    throw new UsageError(
      `'${given}' cannot be a worker's name: it is to begin with a letter from a to z, and to have only these, digits, - and _`,
    );
  }
  const template = WORKER_TEMPLATES[language];
  const name = template.nameOf(given);
  const files = template.files(name).map(([path, source]) => ({ path: join(folder, path), source }));
  const taken = files.filter(({ path }) => existsSync(path)).map(({ path }) => path);
  if (taken.length > 0) throw new UsageError(`${taken.join(' and ')} exists already; give the worker another name`);
  for (const { path, source } of files) {
    const text = await readFile(join(TEMPLATES, source), 'utf8');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, filledIn(text, name, dirname(path)), { flag: 'wx' });
  }
  const target = join(folder, template.target(name));
  return { language, folder, name, target, files: files.map(({ path }) => path) };
}

/** What stands in capitals in a template. */
function filledIn(text: string, name: string, folder: string): string {
  return text
    .replaceAll('CONSTANT', () => constantOf(name))
    .replaceAll('NAME', () => name)
    .replaceAll('BRIDGE', () => relative(folder, locateBridge('go')));
}

/** `prices_eu` is `PricesEu`. */
function constantOf(name: string): string {
  return name
    .split(/[_-]/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
