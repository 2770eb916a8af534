import { join, relative } from 'node:path';

import { DATA_FOLDER } from './paths.js';

/** What the start prints: where to look, and three lines that work when they are pasted into the shell it was started from. */
export function greeting(url: string, shellFolder: string): string {
  const csv = quoted(relative(shellFolder, join(DATA_FOLDER, 'airports.csv')));
  return [
    '',
    `  The demo serves ${url}`,
    '',
    `    ${url}/          every route, to be tried in the browser`,
    `    ${url}/health    readiness`,
    `    ${url}/stats     pools, workers, sessions`,
    '',
    '  Try it:',
    '',
    `curl -N -F file=@${csv} ${url}/csv/profile`,
    `curl -s '${url}/digits/sample?count=3' | curl -N -H 'Content-Type: application/json' -d @- ${url}/digits/classify`,
    `curl -N -H 'Content-Type: application/json' -d '{"epochs": 5}' ${url}/train`,
    '',
  ].join('\n');
}

/** A word of a POSIX shell. */
function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
