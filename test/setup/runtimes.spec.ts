import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { fetchGo } from '../../tools/go-toolchain.mjs';
import { provideRuntimes } from '../../tools/runtimes.mjs';

const isKnown = process.platform === 'linux' && process.arch === 'x64';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snakepit-runtimes-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Puts a `go` in front of the PATH that hides any other. */
function hideGo(body: string): void {
  writeFileSync(join(folder, 'go'), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, 'go'), 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
}

// Other platforms are told what to install instead, see below.
describe.runIf(isKnown)('Go that is', () => {
  it.each([
    ['too old', 'echo go version go1.19.8 linux/amd64'],
    ['missing', 'exit 127'],
  ])('%s is fetched and comes first on the PATH, able to build', { timeout: 180_000 }, (_, body) => {
    hideGo(body);
    provideRuntimes(['go']);
    expect(execFileSync('go', ['version'], { encoding: 'utf8' })).toMatch(/go1\.25\.5 linux\/amd64/);
    writeFileSync(join(folder, 'main.go'), 'package main\n\nfunc main() { println("built") }\n');
    const env = { ...process.env, GO111MODULE: 'off' };
    execFileSync('go', ['build', '-o', join(folder, 'built'), join(folder, 'main.go')], { env, stdio: 'pipe' });
    execFileSync(join(folder, 'built'), { stdio: 'pipe' });
  });
});

describe.runIf(isKnown)('a Go toolchain', () => {
  it('that cannot be fetched is told of by name', () => {
    vi.stubEnv('GOPROXY', pathToFileURL(join(folder, 'nowhere')).href);
    expect(() => fetchGo(join(folder, 'cache'))).toThrow(/nowhere/);
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
  });

  it('that is not the known one is refused before anything of it is unpacked', () => {
    const name = 'golang.org/toolchain/@v/v0.0.1-go1.25.5.linux-amd64.zip';
    const zip = join(folder, name);
    mkdirSync(dirname(zip), { recursive: true });
    const script = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("golang.org/bin/go", "#!/bin/sh")';
    execFileSync('python3', ['-c', script, zip]);
    vi.stubEnv('GOPROXY', `${pathToFileURL(folder).href},direct`);
    expect(() => fetchGo(join(folder, 'cache'))).toThrow(/has the sum h1:\S+, not h1:/);
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
  });
});

it('a platform without a known toolchain is told so', () => {
  vi.stubGlobal('process', { ...process, platform: 'plan9', arch: 'mips' });
  try {
    expect(() => fetchGo(join(folder, 'cache'))).toThrow(/no sum of a Go toolchain for plan9-mips/);
  } finally {
    vi.unstubAllGlobals();
  }
});
