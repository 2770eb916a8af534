import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

/** A line longer than this is handed on in pieces, so that output without line ends cannot fill the memory. */
const MAX_LINE_CHARS = 16_384;

/** Calls `onLine` for every line of a stream, without its line end; the last one may lack it. */
export function splitLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let open = '';
  const take = (text: string): void => {
    const lines = (open + text).split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) {
      const rest = takePieces(line);
      onLine(rest.endsWith('\r') ? rest.slice(0, -1) : rest);
    }
    open = takePieces(open);
  };
  const takePieces = (line: string): string => {
    let rest = line;
    while (rest.length > MAX_LINE_CHARS) {
      onLine(rest.slice(0, MAX_LINE_CHARS));
      rest = rest.slice(MAX_LINE_CHARS);
    }
    return rest;
  };
  stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)));
  stream.on('end', () => {
    take(decoder.end());
    if (open !== '') onLine(open);
    open = '';
  });
  // A pipe that breaks with its process says nothing the process's exit does not say.
  stream.on('error', () => {});
}
