import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { UsageError } from '../usage-error.js';
import { NAME_IN_TEMPLATE, WORKER_TEMPLATES, type WorkerLanguage } from './worker-templates.js';

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
  /** Its own file first. */
  readonly files: readonly [string, ...string[]];
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
    await writeFile(path, text.replaceAll(NAME_IN_TEMPLATE, name), { flag: 'wx' });
  }
  const [worker, ...others] = files.map(({ path }) => path);
  return { language, folder, name, files: [worker!, ...others] };
}
