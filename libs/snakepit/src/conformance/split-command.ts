import { ConformanceFailure } from './conformance-failure.js';

const WORD = /(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/gsu;
const PIECE = /\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"\\]+)/gsu;

/**
 * A command line as words: blanks part them, quotes and backslashes keep blanks. No shell has a say, so nothing in it is expanded.
 *
 * @throws ConformanceFailure when there is no word, or a quote is left open
 */
export function splitCommand(line: string): readonly [string, ...string[]] {
  const words = line.match(WORD) ?? [];
  const rest = line.replace(WORD, '').trim();
  if (rest !== '') {
    throw new ConformanceFailure(`The command has an open quote or a lone backslash: ${line}`);
  }
  const [program, ...args] = words.map(unquote);
  if (program === undefined || program === '') {
    throw new ConformanceFailure(`There is no command to start. Say one, such as: --command 'ruby worker.rb'`);
  }
  return [program, ...args];
}

function unquote(word: string): string {
  return word.replace(PIECE, (_, escaped?: string, single?: string, double?: string, plain?: string) => {
    return escaped ?? single ?? double?.replace(/\\(["\\$`])/gsu, '$1') ?? plain ?? '';
  });
}
