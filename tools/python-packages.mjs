// Installs Python packages into folders of node_modules/.cache, for the tests and for the code generator.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PYTHON = 'python3';
const cacheDir = fileURLToPath(new URL('../node_modules/.cache', import.meta.url));

/** What Python workers can use; gRPC is pinned to releases that have wheels for every Python from 3.9 to 3.13. */
const BRIDGE_REQUIREMENTS = [
  'msgpack',
  'numpy',
  'pydantic',
  'grpcio==1.76.0',
  'grpcio-health-checking==1.76.0',
  'grpcio-reflection==1.76.0',
  'protobuf==6.33.6',
];

/** A folder for PYTHONPATH with the optional packages of Python workers. Throws as `pythonPackages` does. */
export function bridgePackages() {
  return pythonPackages('snakepit-python', BRIDGE_REQUIREMENTS);
}

/** A folder for PYTHONPATH with what data scientists use, for workers that call it. Throws as `pythonPackages` does. */
export function dataSciencePackages() {
  const packages = ['msgpack', 'numpy', 'pandas', 'scikit-learn'];
  // They hold thousands of modules, of which those that are imported are compiled then.
  return pythonPackages('snakepit-data-science', packages, ['--no-compile']);
}

/** A folder for PATH with the program uv. Throws as `pythonPackages` does. */
export function uvFolder() {
  return join(pythonPackages('snakepit-uv', ['uv']), 'bin');
}

/**
 * A folder for PYTHONPATH that holds `requirements`; it is filled once for each list of them, by pip with `options`.
 *
 * Throws an Error with the remedy when there is no Python, or pip cannot install.
 */
export function pythonPackages(name, requirements, options = []) {
  const digest = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 12);
  // Compiled packages fit one minor version of Python only.
  const target = join(cacheDir, name, `${pythonVersion()}-${digest}`);
  if (!existsSync(target)) install(target, requirements, options);
  return target;
}

/** Such as 3.11. Throws as `pythonPackages` does where there is no Python. */
export function pythonVersion() {
  return askPython('import sys; print("%d.%d" % sys.version_info[:2])');
}

/** Where the interpreter itself lies, which may be behind a version manager's script. Throws as `pythonVersion` does. */
export function pythonFolder() {
  return askPython('import os, sys; print(os.path.dirname(sys.executable))');
}

function askPython(script) {
  try {
    return execFileSync(PYTHON, ['-c', script], { encoding: 'utf8' }).trim();
  } catch (cause) {
    throw new Error(`Python workers are needed here: install Python 3 so that \`${PYTHON}\` is on the PATH.`, {
      cause,
    });
  }
}

/** Installs beside the target and renames, so that an interrupted or a parallel run leaves no half-filled folder. */
function install(target, requirements, options) {
  mkdirSync(dirname(target), { recursive: true });
  const staging = mkdtempSync(`${target}-`);
  try {
    const flags = ['--quiet', '--disable-pip-version-check', '--no-input', ...options];
    execFileSync(PYTHON, ['-m', 'pip', 'install', ...flags, '--target', staging, ...requirements], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    moveInto(target, staging);
  } catch (cause) {
    rmSync(staging, { recursive: true, force: true });
    throw new Error(installRemedy(target, requirements, cause), { cause });
  }
}

/** Another run may have been faster; what it installed is as good. */
function moveInto(target, staging) {
  try {
    renameSync(staging, target);
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    rmSync(staging, { recursive: true, force: true });
  }
}

function installRemedy(target, requirements, cause) {
  const quoted = requirements.map((requirement) => `'${requirement}'`).join(' ');
  return [
    `The Python package(s) ${requirements.join(', ')} are needed, and \`${PYTHON} -m pip\` could not install them.`,
    `Install pip (\`${PYTHON} -m ensurepip\`, or your system's python3-pip), or put the packages in place yourself:`,
    `  ${PYTHON} -m pip install --target ${target} ${quoted}`,
    cause instanceof Error ? cause.message.trim() : String(cause),
  ].join('\n');
}
