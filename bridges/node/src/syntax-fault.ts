import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const RELATIVE_IMPORT = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;
const MOST_FILES = 20;
const CHECK_TIMEOUT_MS = 5_000;

/**
 * A syntax error of an ES module with where it is. Node tells that only of what nobody catches, so another Node is asked to check the file, and those
 * that it imports by a relative path. Returns the error as it is where it tells the place by itself, and where none is found.
 */
export function withPlace(error: unknown, path: string): unknown {
  if (!(error instanceof SyntaxError) || isPlaced(error)) return error;
  for (const file of filesFrom(path)) {
    const said = complaintOf(file);
    if (said === undefined) continue;
    const [place, ...code] = said.split('\n');
    const placed = new SyntaxError(`${error.message} (${place})`);
    placed.stack = `${place}\n${code.join('\n')}\nSyntaxError: ${placed.message}`;
    return placed;
  }
  return error;
}

/** The stack of one in a CommonJS module begins with its place. */
function isPlaced({ stack = '' }: Error): boolean {
  return !stack.startsWith('SyntaxError');
}

/** The file and what it imports, each once. */
function* filesFrom(path: string): IterableIterator<string> {
  const files = [path];
  for (let at = 0; at < Math.min(files.length, MOST_FILES); at += 1) {
    const file = files[at]!;
    yield file;
    const imported = [...readFileSync(file, 'utf8').matchAll(RELATIVE_IMPORT)].map(([, name]) =>
      resolve(dirname(file), name!),
    );
    files.push(...imported.filter((each) => existsSync(each) && !files.includes(each)));
  }
}

/** The place, and the code with a mark below it; undefined where nothing is wrong with the file. */
function complaintOf(file: string): string | undefined {
  const { status, stderr } = spawnSync(process.execPath, ['--check', file], {
    encoding: 'utf8',
    timeout: CHECK_TIMEOUT_MS,
  });
  const end = status === 0 ? -1 : (stderr ?? '').indexOf('\nSyntaxError');
  return end < 0 ? undefined : stderr.slice(0, end).trimEnd();
}
