import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve, sep } from 'node:path';

import { SnakepitError } from '../core/index.js';

/** Absolute path of a program given by path or by name; undefined when there is no such executable file. */
export function findExecutable(program: string, searchPath: string): string | undefined {
  if (isAbsolute(program) || program.includes(sep)) {
    const path = resolve(program);
    return isExecutableFile(path) ? path : undefined;
  }
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find(isExecutableFile);
}

/** @throws SnakepitError INTERPRETER_NOT_FOUND */
export function requireExecutable(program: string, language: string): string {
  const found = findExecutable(program, process.env['PATH'] ?? '');
  if (found === undefined) throw new SnakepitError('INTERPRETER_NOT_FOUND', { language, tried: program });
  return found;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
