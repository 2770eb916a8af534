import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const pathOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

interface Promised {
  readonly text: string;
  /** The files that hold it, and the names of tests that are said to be in them. */
  readonly citations: readonly Citation[];
}

interface Citation {
  readonly file: string;
  readonly tests: readonly string[];
}

/** The rows of the tables with a column "held by", which names files in backticks, each before the tests in it that are meant. */
function promisesOf(page: string): Promised[] {
  const promises: Promised[] = [];
  let isHeld = false;
  for (const line of page.split('\n')) {
    const cells = line.startsWith('|')
      ? line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim())
      : [];
    const [text = '', holders = ''] = cells;
    if (cells.at(-1) === 'held by') isHeld = true;
    else if (cells.length !== 2) isHeld = false;
    else if (isHeld && !/^-+$/.test(text)) promises.push({ text, citations: citationsIn(holders) });
  }
  return promises;
}

function citationsIn(cell: string): Citation[] {
  const [, ...parts] = cell.split(/`([^`]+)`/);
  return parts.flatMap((file, index) => {
    const names = parts[index + 1]?.matchAll(/_([^_]+)_/g) ?? [];
    return index % 2 === 1 ? [] : [{ file, tests: Array.from(names, ([, name]) => name!) }];
  });
}

/** Whether a string in the file, as the name of a test is one, begins or ends with that, "…" being whatever is filled in. */
function isNamedIn(source: string, test: string): boolean {
  const name = test.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(['"\`])(?:(?!\\1).)*${name.join('.*')}|def test_${test.replaceAll(' ', '_')}`).test(source);
}

/** Files whose every line is about the promise, such as a group of chaos, need no names. */
const isSpec = (file: string): boolean =>
  (file.endsWith('.spec.ts') || file.endsWith('.py')) && !file.endsWith('faults/faults.spec.ts');

describe('a promise of SECURITY.md', () => {
  const promises = promisesOf(readFileSync(pathOf('SECURITY.md'), 'utf8'));

  it('is found in its tables', () => expect(promises.length).toBeGreaterThan(25));

  it.each(promises)('is held by tests that there are: $text', ({ citations }) => {
    expect(citations.length).toBeGreaterThan(0);
    for (const { file, tests } of citations) {
      expect(existsSync(pathOf(file)), `${file} does not exist`).toBe(true);
      const source = readFileSync(pathOf(file), 'utf8');
      if (isSpec(file)) expect(tests.length, `a test of ${file} is to be named`).toBeGreaterThan(0);
      for (const test of tests) expect(isNamedIn(source, test), `${file} has no test '${test}'`).toBe(true);
    }
  });
});
