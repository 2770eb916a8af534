import { UsageError } from './usage-error.js';

/** One word: bare characters, `'…'` as it stands, `"…"` and `\` as in a shell. */
const PART = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;

/**
 * A command line as words, by the quoting rules of a shell, without anything else that a shell does.
 *
 * @throws UsageError for a quote that is not closed, or no words
 */
export function splitWords(line: string): [string, ...string[]] {
  const words: string[] = [];
  for (let at = 0; at < line.length;) {
    const gap = /\s*/y;
    gap.lastIndex = at;
    gap.exec(line);
    at = gap.lastIndex;
    if (at === line.length) break;
    let word = '';
    for (let part = partAt(line, at); part !== undefined; part = partAt(line, at)) {
      word += part.text;
      at = part.end;
    }
    if (at < line.length && !/\s/.test(line[at]!)) throw new UsageError(`a quote in ${line} is not closed`);
    words.push(word);
  }
  const [program, ...args] = words;
  if (program === undefined) throw new UsageError('the command line of the worker is empty');
  return [program, ...args];
}

function partAt(line: string, at: number): { readonly text: string; readonly end: number } | undefined {
  PART.lastIndex = at;
  const found = PART.exec(line);
  if (found === null) return undefined;
  const [, single, double, escaped, bare] = found;
  return { text: single ?? double?.replace(/\\(.)/gs, '$1') ?? escaped ?? bare!, end: PART.lastIndex };
}
