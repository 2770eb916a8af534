import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The peers' packages. They are installed on first use into a cache of the bench's own: users and contributors who never
 * measure should not have to download them.
 */
const NPM_PACKAGES = ['piscina@5.3.2', 'python-shell@5.0.0', 'pythonia@1.2.6', 'undici@7.30.2'];
const PYTHON_PACKAGES = [
  'msgpack==1.2.4',
  'numpy',
  'fastapi==0.165.0',
  'uvicorn==0.54.0',
  'uvloop',
  'httptools',
  'grpcio==1.76.0',
  'grpcio-health-checking==1.76.0',
  'protobuf==6.33.6',
];

const PYTHON = 'python3';
const cacheDir = fileURLToPath(new URL('../../../node_modules/.cache/snakepit-bench', import.meta.url));

/** Virtual environment of all Python processes of the bench. */
export const venv = join(cacheDir, 'venv');
export const venvPython = join(venv, 'bin', 'python');

/** Where compiled programs are put. */
export function cached(name) {
  mkdirSync(cacheDir, { recursive: true });
  return join(cacheDir, name);
}

/** @throws {Error} that says what to do when there is no network or no Python */
export function installPythonPackages() {
  once('python', PYTHON_PACKAGES, () => {
    run(PYTHON, ['-m', 'venv', '--clear', venv]);
    run(venvPython, ['-m', 'pip', 'install', '--quiet', '--no-input', ...PYTHON_PACKAGES]);
  });
}

/** @throws {Error} that says what to do when there is no network */
export function installNpmPackages() {
  once('npm', NPM_PACKAGES, () => {
    run('npm', ['install', '--prefix', cacheDir, '--no-audit', '--no-fund', '--loglevel=error', ...NPM_PACKAGES]);
  });
}

/** Loads a package of the cache; all of them are CommonJS. */
export const requirePeer = createRequire(join(cacheDir, 'package.json'));

/** The mark is named after what was installed, so that a changed list is installed anew. */
function once(kind, packages, install) {
  const mark = cached(`${kind}-${packages.join('-').replaceAll(/[^\w.-]/g, '-')}`);
  if (existsSync(mark)) return;
  install();
  writeFileSync(mark, '');
}

function run(command, args) {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (cause) {
    const shown = [command, ...args].join(' ');
    const detail = String(cause.stderr || cause.message).trim();
    const remedy =
      'The bench installs its peers on its first run; it needs a network, npm, and Python 3 with venv then.';
    throw new Error(`${remedy}\nThis failed: ${shown}\n${detail}`, { cause });
  }
}
