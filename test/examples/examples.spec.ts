import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, inject, it } from 'vitest';

const folder = fileURLToPath(new URL('../../examples/', import.meta.url));

interface Example {
  readonly args?: readonly string[];
  /** What it prints, line by line. */
  readonly prints: readonly (string | RegExp)[];
}

const rate = (name: string) => new RegExp(`^${name} +[\\d,]*[1-9][\\d,]* +[\\d,]*[1-9][\\d,]*$`);

const EXAMPLES: Readonly<Record<string, Example>> = {
  'json-stateless.mjs': {
    prints: [
      '2012: 366 days, 15.28 °C, 1226 mm of rain, 34.4 °C on 2012-08-16',
      '2013: 365 days, 16.06 °C, 828 mm of rain, 33.9 °C on 2013-06-30',
      '2014: 365 days, 17 °C, 1232.8 mm of rain, 35.6 °C on 2014-08-11',
      '2015: 365 days, 17.43 °C, 1139.2 mm of rain, 35 °C on 2015-07-19',
      'REMOTE_ERROR, LookupError: no days of 1900; there are those from 2012-01-01 to 2015-12-31',
    ],
  },
  'json-session.mjs': {
    prints: [
      'january: 31 days, 10.155 °C on average, standard deviation 3.064',
      'july: 31 days, 28.094 °C on average, standard deviation 4.407',
      'sessions: 2',
    ],
  },
  'msgpack-stateless.mjs': {
    prints: [
      /^airports\.csv: 210365 bytes, packed \d\d %, unpacked the same: true$/,
      /^seattle-weather\.csv: 48219 bytes, packed \d\d %, unpacked the same: true$/,
    ],
  },
  'msgpack-session.mjs': { prints: ['5 parts, 210365 bytes, the same file: true', 'left over: 0 sessions'] },
  'v2-stateless.mjs': {
    prints: [
      'Float64Array of 99001, the first 0.4593',
      '2262 primes, 19 reports on the way',
      'CANCELLED, may-have-run',
      /^CALL_TIMEOUT: 'count_primes' did not finish within 100 ms/,
      '8 calls, 2 processes',
    ],
  },
  'v2-session.mjs': {
    prints: ['another worker: true; tea, milk: 579 cents', 'the host knows of ann: 2 items'],
  },
  'javascript-stateless.mjs': {
    prints: [
      'software 9, copyright 3, without 3',
      'a sentence of 94 words',
      'a sentence of 30 words',
      'a sentence of 46 words',
    ],
  },
  'javascript-session.mjs': {
    prints: [
      '1 new words, 1 in all',
      '4 new words, 5 in all',
      '33 new words, 38 in all',
      '6 new words, 44 in all',
      '29 new words, 73 in all',
      'the whole text once more: 0 new words',
    ],
  },
  'grpc-calls.mjs': {
    prints: ['2013: 33.9 °C on 2013-06-30, 828 mm of rain', 'REMOTE_ERROR (gRPC status 2), raised in year_in_numbers'],
  },
  'grpc-streaming.mjs': {
    prints: ['the first of 2014: 2014-01-06, 2014-02-08', 'the longest: 18 days from 2014-02-08, 153.2 mm'],
  },
  'custom-bridge-python.mjs': {
    prints: [
      '798fbe3fd151d23717ec494aefdf58484ff68775cd0522a7505c2e5bfdf41a09',
      '{ words: 14, words_per_sentence: 7, word_length: 4.07 }',
      'hash: INVALID_ARGUMENTS, not-started',
      'translate: UNKNOWN_COMMAND, not-started',
      'hash: REMOTE_ERROR, ran',
    ],
  },
  'custom-bridge-ruby.mjs': {
    prints: [
      "{ status: 'ok', bridge: 'ruby' }",
      'the warmest of a day is about 1.28 times its coldest, and 5.9 °C',
      "REMOTE_ERROR: 'unfit' raised Error: unknown command unfit",
    ],
  },
  'ruby.mjs': {
    prints: [
      '44 pieces in 4 packs',
      'REMOTE_ERROR, ArgumentError: 43 pieces cannot be packed by 6, 9, 20',
      '{ tea: 2, milk: 1 }',
      '17 lines that are not empty',
    ],
  },
  'r.mjs': {
    prints: [
      'temp_max = 7.425 + 1.26 temp_min …, R² 0.797',
      'drizzle 0 mm, fog 0 mm, rain 1139.2 mm, sun 0 mm',
      'a tenth, half and nine tenths of the days were cooler than 7.2, 15.6, 26.7 °C',
      'REMOTE_ERROR: no rows to aggregate',
    ],
  },
  'go.mjs': {
    prints: [
      '17984 primes',
      'the first from a million on: 1000003, 1000033, 1000037',
      'REMOTE_ERROR: 2 is more than 1',
      'CALL_TIMEOUT',
    ],
  },
  'protocol-benchmark.mjs': {
    args: ['300'],
    prints: [
      / calls\/s$/,
      rate('Python, v1 JSON'),
      rate('Python, v1 MessagePack'),
      rate('Python, v2 JSON'),
      rate('Python, v2 MessagePack'),
      rate('JavaScript, v1 MessagePack'),
      rate('JavaScript, v2 MessagePack'),
    ],
  },
};

describe.concurrent('examples', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.mjs') && name !== 'support.mjs');

  it('are all run here, and listed in their README', () => {
    expect(files.toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
    const readme = readFileSync(`${folder}README.md`, 'utf8');
    expect(files.filter((name) => !readme.includes(`(${name})`))).toEqual([]);
  });

  it.each(Object.entries(EXAMPLES))(
    '%s does what it says',
    async (name, { args = [], prints }) => {
      expect(readFileSync(folder + name, 'utf8')).toMatch(/^\/\/ [A-Z]/);
      const env = { ...process.env, PYTHONPATH: inject('pythonPackages') };
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [name, ...args], { cwd: folder, env });
      const lines = stdout.trimEnd().split('\n');
      for (const [at, line] of prints.entries()) {
        if (typeof line === 'string') expect(lines[at]).toBe(line);
        else expect(lines[at]).toMatch(line);
      }
      expect(lines).toHaveLength(prints.length);
      expect(stderr).toBe('');
    },
    60_000,
  );
});
