import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { SNAKEPIT_VERSION } from 'nestjs-snakepit/core';
import { expect, it } from 'vitest';

import { repository } from './readme-blocks.js';

/** Where each SDK says which version it is, and how. */
const VERSIONS = {
  'bridges/node/package.json': /"version": "(.*)"/,
  'bridges/python/snakepit_bridge/version.py': /__version__ = "(.*)"/,
  'bridges/ruby/lib/snakepit_bridge/version.rb': /VERSION = '(.*)'/,
  'bridges/go/hello.go': /const Version = "(.*)"/,
  'bridges/r/DESCRIPTION': /^Version: (.*)$/m,
};

it.each(Object.entries(VERSIONS))('%s says the version of the library', (path, pattern) => {
  expect(pattern.exec(readFileSync(join(repository, path), 'utf8'))?.[1]).toBe(SNAKEPIT_VERSION);
});
