import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

interface Block {
  readonly title: string;
  readonly text: string;
}

/** The files that a page shows. */
function blocksOf(page: string): Block[] {
  const text = readFileSync(join(repository, page), 'utf8');
  return [...text.matchAll(/^```\w+ title="([^"]+)"\n([\s\S]*?)^```$/gm)].map(([, title, code]) => ({
    title: title ?? '',
    text: code ?? '',
  }));
}

mkdirSync(join(repository, '.cache'), { recursive: true });
/** A user's application, where vitest finds the packages of this repository. */
const app = mkdtempSync(join(repository, '.cache', 'docs-testing-'));
for (const { title, text } of [...blocksOf('README.md'), ...blocksOf('docs/testing.md')]) {
  mkdirSync(dirname(join(app, title)), { recursive: true });
  writeFileSync(join(app, title), text);
}
// Run a second time, it must not be the module that has been run.
cpSync(join(app, 'test/recorded.spec.ts'), join(app, 'test/recorded-again.spec.ts'));

/** The tests of a file of the page become tests of this one. */
const run = (file: string): Promise<unknown> => import(join(app, file));

beforeAll(() => process.chdir(app));
afterAll(() => {
  process.chdir(repository);
  rmSync(app, { recursive: true, force: true });
});

describe('docs/testing.md', () => {
  it('has no code that is not run here', () => {
    const titles = blocksOf('docs/testing.md').map(({ title }) => title);
    expect(titles).toEqual(['test/report.spec.ts', 'test/time.spec.ts', 'test/recorded.spec.ts']);
    expect(readFileSync(join(repository, 'docs/testing.md'), 'utf8').match(/^```/gm)).toHaveLength(2 * titles.length);
  });
});

describe('its fakes', async () => {
  await run('test/report.spec.ts');
});

describe('its clock', async () => {
  await run('test/time.spec.ts');
});

describe('its recording, made', async () => {
  beforeAll(() => vi.stubEnv('SNAKEPIT_REFRESH', '1'));
  afterAll(() => vi.unstubAllEnvs());
  await run('test/recorded.spec.ts');
});

describe('its recording, replayed where there is no Python', async () => {
  beforeAll(() => {
    rmSync(join(app, 'workers'), { recursive: true });
    vi.stubEnv('PATH', '');
  });
  afterAll(() => vi.unstubAllEnvs());
  await run('test/recorded-again.spec.ts');
});
