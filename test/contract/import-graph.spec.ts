import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const repositoryDir = fileURLToPath(new URL('../..', import.meta.url));
const checker = join(repositoryDir, 'tools/import-graph.mjs');
const lib = 'libs/snakepit/src';

const targets = {
  [`${lib}/core/errors.ts`]: 'export const errors = 1;',
  [`${lib}/worker/launch-spec.ts`]: 'export interface LaunchSpec {}',
  [`${lib}/pool/pool.ts`]: "export { errors } from '../core/errors.js';",
};

const allowed = {
  [`${lib}/adapters/python.ts`]: "import type { LaunchSpec } from '../worker/launch-spec.js';",
  [`${lib}/runtime/index.ts`]: "import '../pool/pool.js'; import { Observable } from 'rxjs';",
  [`${lib}/nest/index.ts`]: "import '../runtime/index.js'; import { Module } from '@nestjs/common';",
  [`${lib}/core/upward.spec.ts`]: "import '../pool/pool.js';",
  'bridges/node/src/index.ts': "import 'nestjs-snakepit/codec';",
  'apps/demo/src/main.ts': "import 'nestjs-snakepit/health';",
};

const forbidden = [
  { what: 'an upward import', file: `${lib}/core/upward.ts`, code: "import '../pool/pool.js';" },
  { what: 'an upward re-export', file: `${lib}/core/re-export.ts`, code: "export * from '../pool/pool.js';" },
  { what: 'an upward dynamic import', file: `${lib}/core/dynamic.ts`, code: "await import('../pool/pool.js');" },
  { what: 'an upward import type', file: `${lib}/core/type.ts`, code: "let x: import('../pool/pool.js').Pool;" },
  { what: 'a sideways import', file: `${lib}/session/sideways.ts`, code: "import '../worker/launch-spec.js';" },
  { what: 'a value where types may go', file: `${lib}/adapters/v.ts`, code: "import '../worker/launch-spec.js';" },
  { what: 'Nest below nest', file: `${lib}/runtime/nest.ts`, code: "import { Module } from '@nestjs/common';" },
  { what: 'RxJS below runtime', file: `${lib}/pool/rxjs.ts`, code: "import { map } from 'rxjs/operators';" },
  { what: 'the library by its own name', file: `${lib}/nest/self.ts`, code: "import 'nestjs-snakepit/core';" },
  { what: 'the tests', file: `${lib}/core/tests.ts`, code: "import '../../../../test/fixtures/a.js';" },
  { what: 'an app', file: 'bridges/node/src/app.ts', code: "import '../../../apps/demo/src/main.js';" },
  { what: 'internals', file: 'apps/demo/src/deep.ts', code: "import '../../../libs/snakepit/src/core/errors.js';" },
  {
    what: 'another package in a spec',
    file: `${lib}/core/a.spec.ts`,
    code: "import '../../../../bridges/node/src/a.js';",
  },
];

describe('import graph', () => {
  let scratch: string;

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'import-graph-'));
  });

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('passes for this repository', () => {
    expect(check(repositoryDir)).toEqual({ exitCode: 0, output: '' });
  });

  it('passes when imports point down', () => {
    expect(check(fixture('down', { ...targets, ...allowed }))).toEqual({ exitCode: 0, output: '' });
  });

  it('fails for a deliberate upward import and says file, line, import and rule', () => {
    const { exitCode, output } = check(
      fixture('upward', { ...targets, [`${lib}/channel/a.ts`]: "\nimport '../pool/pool.js';" }),
    );
    expect(exitCode).toBe(1);
    expect(output).toContain(
      `${lib}/channel/a.ts:2: import of '../pool/pool.js' breaks the rule: room 'channel' may import only codec, core, not 'pool'`,
    );
  });

  it('fails for a cycle and shows its path', () => {
    const { exitCode, output } = check(
      fixture('cycle', {
        [`${lib}/core/a.ts`]: "import './b.js';",
        [`${lib}/core/b.ts`]: "import type { A } from './a.js';",
      }),
    );
    expect(exitCode).toBe(1);
    expect(output).toContain(`${lib}/core/a.ts -> ${lib}/core/b.ts -> ${lib}/core/a.ts`);
  });

  it('fails for a file outside every room and names it', () => {
    const { exitCode, output } = check(fixture('no-room', { [`${lib}/utils/a.ts`]: 'export {};' }));
    expect(exitCode).toBe(1);
    expect(output).toContain(`${lib}/utils/a.ts: is in no known room`);
  });

  describe('with one file for each forbidden import', () => {
    let result: ReturnType<typeof check>;

    beforeAll(() => {
      const files = Object.fromEntries(forbidden.map(({ file, code }) => [file, code]));
      result = check(fixture('forbidden', { ...targets, ...files }));
    });

    it.each(forbidden)('refuses $what', ({ file }) => {
      expect(result.exitCode).toBe(1);
      expect(result.output).toContain(`${file}:1: import of '`);
    });
  });

  function fixture(name: string, files: Readonly<Record<string, string>>): string {
    const folder = join(scratch, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }

  function check(folder: string): { exitCode: number | null; output: string } {
    const { status, stderr } = spawnSync(process.execPath, [checker, folder], { encoding: 'utf8' });
    return { exitCode: status, output: stderr };
  }
});
