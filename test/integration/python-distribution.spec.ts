import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { createSnakepit, custom } from 'nestjs-snakepit/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../bridges/python', import.meta.url));
const run = promisify(execFile);
/** Making an environment and a wheel, for which pip fetches setuptools. */
const INSTALL_TIMEOUT_MS = 240_000;

const folder = mkdtempSync(join(tmpdir(), 'snakepit-distribution-'));
const bin = (name: string): string => join(folder, 'venv/bin', name);
const pip = (...args: string[]) =>
  run(bin('python'), ['-m', 'pip', '--quiet', '--disable-pip-version-check', ...args], { cwd: folder });
const python = async (script: string): Promise<string> =>
  (await run(bin('python'), ['-c', script], { cwd: folder })).stdout.trim();

/** All modules of a package's folder, as paths within it. */
const filesOf = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(py|pyi|typed)$/.test(name))
    .toSorted();

beforeAll(async () => {
  await run('python3', ['-m', 'venv', join(folder, 'venv')]);
  // Building leaves files beside the sources.
  cpSync(source, join(folder, 'sdk'), {
    recursive: true,
    filter: (path) => !/__pycache__|\.egg-info|\/build$/.test(path),
  });
}, INSTALL_TIMEOUT_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the Python SDK as a package', () => {
  it(
    'installs as a wheel with every module, its types, and its extras',
    async () => {
      await pip('install', './sdk[msgpack]');
      const [installed = '', extras] = JSON.parse(
        await python(
          'import json, os, snakepit_bridge; from importlib.metadata import metadata; ' +
            'print(json.dumps([os.path.dirname(snakepit_bridge.__file__), metadata("snakepit-bridge").get_all("Provides-Extra")]))',
        ),
      ) as [string, string[]];
      expect(installed).toContain('site-packages');
      expect(filesOf(installed)).toEqual(filesOf(join(source, 'snakepit_bridge')));
      expect(existsSync(join(installed, 'py.typed'))).toBe(true);
      expect(extras).toEqual(['msgpack', 'grpc', 'all']);
      expect(await python('import snakepit_bridge.enhanced as e; print(e.Enhanced(allow=["math"]).allow)')).toBe(
        'math',
      );
    },
    INSTALL_TIMEOUT_MS,
  );

  it.each([
    ['snakepit-generic-bridge', /ping, echo, compute and info[^]*commands: compute, echo, info, ping/],
    ['snakepit-custom-bridge', /commands: compute, custom_info, echo, encode, hash, info, ping/],
  ])('installs %s with the flags that hosts give', async (script, help) => {
    expect((await run(bin(script), ['--help'])).stdout).toMatch(help);
    await expect(run(bin(script), ['--protocol', 'xml'])).rejects.toMatchObject({ code: 2 });
    for (const protocol of ['json', 'msgpack', 'auto'] as const) {
      const args = ['--mode', 'pool-worker', '--protocol', protocol, '--quiet'];
      const snakepit = await createSnakepit({
        adapter: custom({ executable: bin(script), args, codec: protocol }),
        size: 1,
      });
      try {
        const compute = { operation: 'multiply', a: 6, b: 7 };
        expect(await snakepit.pool().execute('compute', compute)).toMatchObject({ status: 'ok', result: 42 });
      } finally {
        await snakepit.close();
      }
    }
  });

  it('keeps the names that code for snakepit 0.3 imports', async () => {
    const script = [
      'from snakepit_bridge import BaseCommandHandler, GenericCommandHandler, ProtocolHandler',
      'from snakepit_bridge.core import BaseCommandHandler as Same, ProtocolHandler, setup_graceful_shutdown, setup_broken_pipe_suppression',
      'from snakepit_bridge.adapters.generic import GenericCommandHandler',
      'class Mine(BaseCommandHandler):',
      '    def _register_commands(self):',
      '        self.register_command("double", lambda args: args["n"] * 2)',
      '        self.register_command("count", lambda args: iter(range(args["n"])))',
      'mine = Mine()',
      'assert BaseCommandHandler is Same',
      'print(mine.get_supported_commands(), mine.process_command("double", {"n": 4}), list(mine.process_stream_command("count", {"n": 3})))',
      'ProtocolHandler(mine, protocol="json", quiet=True)',
    ];
    expect(await python(script.join('\n'))).toBe("['double', 'count'] 8 [0, 1, 2]");
  });

  it(
    'installs in place, by pip install -e',
    async () => {
      await pip('install', '--force-reinstall', '--no-deps', '-e', './sdk');
      expect(await python('import snakepit_bridge; print(snakepit_bridge.__file__)')).toBe(
        join(folder, 'sdk/snakepit_bridge/__init__.py'),
      );
      expect((await run(bin('snakepit-generic-bridge'), ['--help'])).stdout).toContain('--protocol');
    },
    INSTALL_TIMEOUT_MS,
  );
});
