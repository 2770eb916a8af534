import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PYTHON } from '../../tools/pack/package-files.mjs';
import { repository } from './readme-blocks.js';

describe('strip_python.py', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'snakepit-strip-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const python = (...args: string[]): string => execFileSync('python3', args, { encoding: 'utf8' });
  const strip = (...rooms: readonly string[]): string =>
    python(join(repository, 'tools/pack/strip_python.py'), folder, ...rooms);
  const stripped = (program: string, ...rooms: string[]): string => {
    const path = join(folder, 'program.py');
    writeFileSync(path, program);
    strip(...rooms);
    return readFileSync(path, 'utf8');
  };

  it.each([
    ['a line of comment', 'a()\n# no\nb()\n', 'a()\n\nb()\n'],
    ['a comment behind code', 'a()  # no\nb()\n', 'a()\nb()\n'],
    ['a comment within brackets', 'a(\n    1,  # no\n)\n', 'a(\n    1,\n)\n'],
  ])('takes away %s', (_, program, expected) => {
    expect(stripped(program)).toBe(expected);
  });

  it.each(['#!/usr/bin/env python3\na()\n', 'a("# text")\n', 'a("""\n# text\n""")\n', 'def f():\n    """Say."""\n'])(
    'leaves %j alone',
    (program) => {
      expect(stripped(program)).toBe(program);
    },
  );

  it('takes docstrings away in the rooms it is told, and keeps bodies that have nothing else', () => {
    const program =
      '"""M."""\n\n\nclass E(Exception):\n    """Two\n\n    lines."""\n\n\ndef f():\n    """F."""\n    return 1\n';
    expect(stripped(program, 'program.py')).toBe(
      '\n\n\nclass E(Exception):\n    ""\n\n\n\n\ndef f():\n\n    return 1\n',
    );
  });

  it('leaves the code of the SDK on its lines, and the docstrings of what authors import', () => {
    const sdk = join(repository, PYTHON.package);
    cpSync(sdk, folder, { recursive: true });
    strip(...PYTHON.interior);
    const [programs, docstrings, left] = python(join(repository, 'test/package/same_program.py'), sdk, folder)
      .split(' ')
      .map(Number);
    expect(programs).toBeGreaterThan(100);
    expect(left).toBeGreaterThan(100);
    expect(left).toBeLessThan(docstrings! / 2);
  }, 60_000);
});
