import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, it } from 'vitest';

import { snakepit } from './snakepit.js';

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { about: string; level: string; says: string; remedy?: string }[];
}

const folder = mkdtempSync(join(tmpdir(), 'snakepit-doctor-spec-'));
const repository = fileURLToPath(new URL('../../', import.meta.url));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A PATH with nothing but these programs. */
function pathWith(name: string, programs: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [program, script] of Object.entries(programs)) {
    writeFileSync(join(path, program), script, { mode: 0o755 });
  }
  return path;
}

async function examined(args: readonly string[], surroundings: Parameters<typeof snakepit>[1]) {
  const { status, stdout } = await snakepit(['doctor', '--json', ...args], surroundings);
  const report = JSON.parse(stdout) as Report;
  return { status, ...report, about: (about: string) => report.findings.filter((finding) => finding.about === about) };
}

describe.concurrent('snakepit doctor', () => {
  it('finds this repository fit, having called workers of all languages', async () => {
    const { status, stdout, stderr } = await snakepit(['doctor', '--for', 'python,node,ruby,go,r'], {
      cwd: repository,
    });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ok +Node\.js +Node\.js \d+/m);
    expect(stdout).toMatch(/^ok +packages +.*@nestjs\/core 12/m);
    expect(stdout).toMatch(/^ok +JavaScript worker +started in \d+ ms, answered a call in [\d.]+ ms, and streamed$/m);
    for (const language of ['Python', 'Ruby', 'Go', 'R'])
      expect(stdout).toMatch(new RegExp(`^ok +${language} worker +started in`, 'm'));
    expect(stdout).toMatch(/^Workers run here/m);
  }, 60_000);

  it('ends with 1 where Python is asked for and there is none, and says what to do', async () => {
    const PATH = pathWith('empty', {});
    const asked = await examined(['--for', 'python'], { cwd: folder, env: { PATH } });
    expect(asked).toMatchObject({ status: 1, ok: false });
    expect(asked.about('Python')).toEqual([
      {
        about: 'Python',
        level: 'problem',
        says: expect.stringContaining('No Python interpreter found (tried python3, python)'),
        remedy: expect.stringContaining('Install Python 3.9'),
      },
    ]);
    const unasked = await examined([], { cwd: folder, env: { PATH } });
    expect(unasked).toMatchObject({ status: 0, ok: true });
    expect(unasked.about('Python')).toMatchObject([{ level: 'advice' }]);
  });

  it('shows a Python that starts no worker as what it is', async () => {
    const script = '#!/bin/sh\nfor each; do [ "$each" = -m ] && { echo "cannot run modules" >&2; exit 9; }; done\n';
    const PATH = pathWith('broken', {
      python3: `${script}case "$*" in *executable*) echo "[[3, 11], [$(printf '%s' "$0" | od -An -tu1 -v | tr -s ' \\n' ',' | sed 's/^,//; s/,$//')]]";; *) echo '{"version":"3.11.0","packages":{}}';; esac\n`,
    });
    const { status, about } = await examined(['--for', 'python'], {
      cwd: folder,
      env: { PATH: `${PATH}:/usr/bin:/bin` },
    });
    expect(status).toBe(1);
    expect(about('Python worker')).toMatchObject([
      { level: 'problem', says: expect.stringMatching(/status 9[^]*cannot run modules/) },
    ]);
  });

  it('tells packages that the project lacks, and such as are too old', async () => {
    const project = join(folder, 'project');
    mkdirSync(join(project, 'node_modules/rxjs'), { recursive: true });
    writeFileSync(join(project, 'node_modules/rxjs/package.json'), '{"name":"rxjs","version":"6.6.7"}');
    const { about } = await examined([], { cwd: project });
    expect(about('packages')).toContainEqual({
      about: 'packages',
      level: 'advice',
      says: expect.stringContaining('rxjs 6.6.7 is not ^7.8.0'),
      remedy: 'npm install rxjs@^7.8.0',
    });
    expect(about('packages')).toContainEqual({
      about: 'packages',
      level: 'advice',
      says: expect.stringContaining('@nestjs/common@^12.0.0'),
      remedy: expect.stringContaining("npm install '@nestjs/common@^12.0.0'"),
    });
  });

  it('refuses to be asked for what it does not know', async () => {
    const { status, stderr } = await snakepit(['doctor', '--for', 'python,cobol']);
    expect(status).toBe(2);
    expect(stderr).toContain("'cobol' is none of python, node, ruby, go, r, grpc");
  });
});
