import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

import { toError, type Clock, type Timer } from '../core/index.js';

/** Editors and checkouts write several files in a row; one reload is enough for all of them. */
const SETTLE_MS = 100;
/** The system has few watches to give; a folder with more below it than this is the wrong one. */
const MAX_FOLDERS = 1_000;
/** What no source lies in, or what is written by running it. */
const IGNORED_FOLDERS = new Set(['node_modules', '__pycache__']);

export interface SourceWatcherParts {
  /** Files, and folders with all that is below them; absolute. */
  readonly paths: readonly string[];
  /** Names of files that count end with one of these, such as `.py`; undefined for any. */
  readonly extensions: readonly string[] | undefined;
  readonly clock: Clock;
  /** Sources have changed; one of them is `path`. */
  readonly onChange: (path: string) => void;
  /** Something cannot be watched. */
  readonly onProblem: (message: string) => void;
}

/**
 * Tells when source files change.
 *
 * Watches folders, not files: an editor that saves by renaming puts a new file where the watched one was. Each folder has a watch of
 * its own, because recursive ones are not to be had on every system.
 */
export class SourceWatcher {
  readonly #parts: SourceWatcherParts;
  readonly #folders = new Map<string, FSWatcher>();
  /** Files that were named one by one. */
  readonly #files: ReadonlySet<string>;
  readonly #roots: readonly string[];
  #settling: Timer | undefined;
  #changed: string | undefined;

  /** @throws Error for a path that does not exist. */
  constructor(parts: SourceWatcherParts) {
    this.#parts = parts;
    const isFile = (path: string): boolean => statSync(path).isFile();
    this.#files = new Set(parts.paths.filter(isFile));
    this.#roots = parts.paths.filter((path) => !this.#files.has(path));
    this.#watchNewFolders();
  }

  close(): void {
    this.#settling?.cancel();
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  /** The first folder that was not watched before. */
  #watchNewFolders(): string | undefined {
    const wanted = new Set([...this.#files].map((file) => dirname(file)));
    for (const root of this.#roots) this.#collect(root, wanted);
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    let first: string | undefined;
    for (const folder of wanted) {
      if (this.#folders.has(folder)) continue;
      this.#watch(folder);
      first ??= folder;
    }
    return first;
  }

  #collect(folder: string, into: Set<string>): void {
    if (into.size >= MAX_FOLDERS) return;
    into.add(folder);
    if (into.size === MAX_FOLDERS) {
      this.#parts.onProblem(`more than ${MAX_FOLDERS} folders are to be watched; ${folder} is the last one that is`);
    }
    for (const name of subfoldersOf(folder)) if (!isIgnored(name)) this.#collect(join(folder, name), into);
  }

  #watch(folder: string): void {
    const onProblem = (error: unknown): void => {
      this.#parts.onProblem(`${folder} cannot be watched: ${toError(error).message}`);
    };
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => this.#onEvent(folder, name));
      watcher.on('error', onProblem);
      this.#folders.set(folder, watcher);
    } catch (error) {
      onProblem(error);
    }
  }

  #onEvent(folder: string, name: string | null): void {
    if (name === null || isIgnored(name)) return;
    const path = join(folder, name);
    if (this.#isSource(path)) this.#changed ??= path;
    // What is no source may be a new folder.
    this.#settling?.cancel();
    this.#settling = this.#parts.clock.after(SETTLE_MS, () => this.#settled());
  }

  #settled(): void {
    const added = this.#watchNewFolders();
    const path = this.#changed ?? added;
    this.#changed = undefined;
    if (path !== undefined) this.#parts.onChange(path);
  }

  #isSource(path: string): boolean {
    if (this.#files.has(path)) return true;
    const { extensions } = this.#parts;
    const isBelowRoot = this.#roots.some((root) => path.startsWith(join(root, '/')));
    return isBelowRoot && (extensions === undefined || extensions.includes(extname(path)));
  }
}

function isIgnored(name: string): boolean {
  const base = basename(name);
  return IGNORED_FOLDERS.has(base) || base.startsWith('.') || base.endsWith('~');
}

/** None for a folder that was removed in the meantime. */
function subfoldersOf(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
