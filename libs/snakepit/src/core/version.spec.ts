import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SNAKEPIT_VERSION } from './version.js';

it('reports the version that the package manifest declares', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ version: SNAKEPIT_VERSION });
});
