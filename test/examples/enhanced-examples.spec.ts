import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it } from 'vitest';

import { dataSciencePackages } from '../../tools/python-packages.mjs';

const folder = fileURLToPath(new URL('../../examples/enhanced/', import.meta.url));

/** What each prints, line by line. */
const PRINTS: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  'basic.mjs': [
    '19.90 three times is 59.70',
    'the root of 2 is 1.4142135623730951',
    "most common: ' ' 6, 's' 4, 't' 4",
    'pipeline: {"mean": 2.1875}',
    'stored: letters (collections.Counter), counts (builtins.dict_values), mean (builtins.float)',
    'INVALID_ARGUMENTS: not-allowed, os.system',
    'INVALID_ARGUMENTS: not-allowed, math.__loader__',
    'INVALID_ARGUMENTS: unknown-attribute, letters.most_comon',
  ],
  'data-science.mjs': [
    '1461 days, 6 columns',
    'drizzle: 15.9 °C',
    'fog: 16.8 °C',
    'rain: 13.5 °C',
    'snow: 5.6 °C',
    'sun: 19.9 °C',
    'a reference to nothing: INVALID_ARGUMENTS',
    'learned from 1461 days, R² 0.80',
    /^Float64Array of 1461, the first 12\.\d °C$/,
  ],
  'modules.mjs': [
    'the invoice is charged twice: billing (billing, calm)',
    'the app is lost help: bugs, urgent (bugs, urgent)',
    '`text -> queue, urgent`, made of two classifiers.',
  ],
};

describe.concurrent('examples of Python libraries', () => {
  let packages: string;

  beforeAll(() => {
    packages = dataSciencePackages();
  }, 300_000);

  it('are all run here, and listed in their README', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
    expect(files.toSorted()).toEqual(Object.keys(PRINTS).toSorted());
    const readme = readFileSync(`${folder}README.md`, 'utf8');
    expect(files.filter((name) => !readme.includes(`(${name})`))).toEqual([]);
  });

  it.each(Object.entries(PRINTS))(
    '%s does what it says',
    async (name, prints) => {
      const env = { ...process.env, PYTHONPATH: packages };
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [name], { cwd: folder, env });
      const lines = stdout.trimEnd().split('\n');
      for (const [at, line] of prints.entries()) {
        if (typeof line === 'string') expect(lines[at]).toBe(line);
        else expect(lines[at]).toMatch(line);
      }
      expect(lines).toHaveLength(prints.length);
      expect(stderr).toBe('');
    },
    300_000,
  );
});
