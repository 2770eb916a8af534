import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { createSnakepit, custom, go, type CustomOptions } from 'nestjs-snakepit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PYTHON_BUILD, STEPS } from '../../tools/pack/steps.mjs';
import { pythonPackages } from '../../tools/python-packages.mjs';
import { repository } from './readme-blocks.js';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'snakepit-installed-')));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The environment of somebody who has none of the SDKs. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|PYTHON|GEM_|RUBY|R_LIBS)/.test(name)),
);
const run = async (program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> =>
  (await promisify(execFile)(program, args, { cwd: base, env: { ...env, ...more } })).stdout;

/** Makes what is published of one SDK, in a folder of its own. @returns its files by their endings */
async function pack(step: keyof typeof STEPS): Promise<(ending: string) => string> {
  const out = mkdtempSync(join(base, 'artifacts-'));
  await STEPS[step]({ repository, out });
  return (ending) =>
    join(
      out,
      readdirSync(out).find((name) => name.endsWith(ending))!,
    );
}

function write(path: string, text: string): string {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), text);
  return join(base, path);
}

async function callOnce(options: CustomOptions, command: string, args: unknown): Promise<unknown> {
  const snakepit = await createSnakepit({ adapter: custom(options), size: 1 });
  try {
    return await snakepit.pool().execute(command, args);
  } finally {
    await snakepit.close();
  }
}

describe('what pack:all makes, where nothing but it is installed', () => {
  describe('of Python', () => {
    const venv = join(base, 'venv');
    let artifact: (ending: string) => string;
    beforeAll(async () => {
      artifact = await pack('Python wheel and sdist');
      await run('python3', ['-m', 'venv', venv]);
    }, 120_000);

    it.each([
      ['wheel', '.whl'],
      ['sdist', '.tar.gz'],
    ])(
      'is a %s that pip installs, with both bridges',
      async (_, ending) => {
        // What an sdist is built with comes from a folder, so that pip needs no network.
        const builders = { PYTHONPATH: pythonPackages('snakepit-build', PYTHON_BUILD) };
        const flags = [
          '--no-index',
          '--no-build-isolation',
          '--force-reinstall',
          '--disable-pip-version-check',
          '--quiet',
        ];
        await run(join(venv, 'bin/python'), ['-m', 'pip', 'install', ...flags, artifact(ending)], builders);

        const where = await run(join(venv, 'bin/python'), ['-c', 'import snakepit_bridge as s; print(s.__file__)']);
        expect(where).toContain(join(venv, 'lib'));
        for (const [bridge, command, args] of [
          ['snakepit-generic-bridge', 'compute', { operation: 'add', a: 2, b: 3 }],
          ['snakepit-custom-bridge', 'encode', { text: 'pit', encoding: 'base64' }],
        ] as const) {
          const executable = join(venv, 'bin', bridge);
          expect(await run(executable, ['--help'])).toContain('--protocol');
          expect(await callOnce({ executable }, command, args)).toMatchObject({ status: 'ok' });
        }
      },
      60_000,
    );

    it('is an sdist without tests that only run in the repository', async () => {
      expect(await run('tar', ['-tzf', artifact('.tar.gz')])).not.toContain('/tests/');
    });
  });

  it('is a gem whose program serves a file that requires it', async () => {
    const artifact = await pack('Ruby gem');
    const home = join(base, 'gems');
    const own = { GEM_HOME: home, GEM_PATH: home };
    await run('gem', ['install', '--local', '--no-document', artifact('.gem')], own);
    expect(await run('gem', ['contents', 'snakepit_bridge'], own)).toContain('/LICENSE');

    const module = write(
      'report.rb',
      `require 'snakepit_bridge'
      Snakepit.worker do
        command(:add) { |a:, b:| { sum: a + b, from: $LOADED_FEATURES.grep(/snakepit_bridge\\.rb$/).first } }
      end`,
    );
    const executable = join(home, 'bin/snakepit-ruby-worker');
    const result = await callOnce({ executable, args: ['--module', module], protocol: 'v2', env: own }, 'add', {
      a: 2,
      b: 3,
    });
    expect(result).toEqual({ sum: 5, from: expect.stringContaining(`${home}/gems/snakepit_bridge-`) });
  }, 60_000);

  it('is an R package that R CMD INSTALL installs, which serves a script that loads it', async () => {
    const artifact = await pack('R package');
    const library = join(base, 'r-library');
    mkdirSync(library);
    await run('R', ['CMD', 'INSTALL', `--library=${library}`, artifact('.tar.gz')]);
    const script = write(
      'model.R',
      `library(snakepit)
      command("add", function(a, b) list(sum = a + b, from = find.package("snakepit")))`,
    );
    const installed = join(library, 'snakepit');
    const result = await callOnce(
      {
        executable: '/bin/sh',
        args: [join(installed, 'launch.sh'), 'Rscript', join(installed, 'worker.R'), '--module', script],
        protocol: 'v2',
        codec: 'json',
        env: { R_LIBS: library },
      },
      'add',
      { a: 2, b: 3 },
    );
    expect(result).toEqual({ sum: 5, from: installed });
  }, 60_000);

  it('is a Go module that a program finds by a replace', async () => {
    const artifact = await pack('Go module');
    await run('tar', ['-xzf', artifact('.tar.gz'), '-C', base]);
    expect(readdirSync(join(base, 'go'))).toEqual(expect.arrayContaining(['LICENSE', 'go.mod']));
    write(
      'program/go.mod',
      'module report\n\ngo 1.21\n\nrequire nestjs-snakepit/snakepit v0.0.0\n\nreplace nestjs-snakepit/snakepit => ../go\n',
    );
    write(
      'program/main.go',
      `package main

import (
	"context"

	"nestjs-snakepit/snakepit"
)

func main() {
	w := snakepit.New()
	snakepit.Command(w, "add", func(ctx context.Context, args struct{ A, B int }) (int, error) { return args.A + args.B, nil })
	w.Run()
}
`,
    );
    const adapter = go({ package: join(base, 'program'), builds: join(base, 'builds') });
    const snakepit = await createSnakepit({ adapter, size: 1 });
    try {
      expect(await snakepit.pool().execute('add', { a: 2, b: 3 })).toBe(5);
    } finally {
      await snakepit.close();
    }
  }, 120_000);
});
