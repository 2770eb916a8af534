import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

import { toError } from '../core/index.js';
import { fromJsonText } from './json-text.js';
import { UsageError } from './usage-error.js';

/**
 * Arguments of a command: JSON, `@FILE` for a file that holds it, `-` for stdin.
 *
 * @throws UsageError
 */
export async function readJsonArgument(given: string, stdin: NodeJS.ReadableStream): Promise<unknown> {
  const [text, where] = await read(given, stdin);
  try {
    return fromJsonText(text);
  } catch (error) {
    const hint = given === text ? ` In a shell, put it in single quotes: '{"a":1}'.` : '';
    throw new UsageError(`${where} is no JSON that can be sent: ${toError(error).message}.${hint}`, { cause: error });
  }
}

async function read(given: string, stdin: NodeJS.ReadableStream): Promise<[text: string, where: string]> {
  if (given === '-') return [(await buffer(stdin)).toString('utf8'), 'what stands on stdin'];
  if (!given.startsWith('@')) return [given, 'the argument'];
  const path = given.slice(1);
  try {
    return [await readFile(path, 'utf8'), path];
  } catch (error) {
    throw new UsageError(`the arguments cannot be read: ${toError(error).message}`, { cause: error });
  }
}
