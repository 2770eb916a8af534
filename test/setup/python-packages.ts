import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for PYTHONPATH with the optional packages of Python workers; leave it off to test without them. */
    pythonPackages: string;
  }
}

const PYTHON = 'python3';
const PACKAGES = ['msgpack', 'numpy'];
const cacheDir = fileURLToPath(new URL('../../node_modules/.cache/snakepit-python', import.meta.url));

export default function setup(project: TestProject): void {
  // Compiled packages fit one minor version of Python only.
  const target = join(cacheDir, pythonVersion());
  if (!PACKAGES.every((name) => existsSync(join(target, name)))) install(target);
  project.provide('pythonPackages', target);
}

function pythonVersion(): string {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2])';
  try {
    return execFileSync(PYTHON, ['-c', script], { encoding: 'utf8' }).trim();
  } catch (cause) {
    throw new Error(`The tests run Python workers: install Python 3 so that \`${PYTHON}\` is on the PATH.`, { cause });
  }
}

/** Installs beside the target and renames, so that an interrupted or a parallel run leaves no half-filled folder. */
function install(target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  const staging = mkdtempSync(`${target}-`);
  try {
    const flags = ['--quiet', '--disable-pip-version-check', '--no-input'];
    execFileSync(PYTHON, ['-m', 'pip', 'install', ...flags, '--target', staging, ...PACKAGES], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    rmSync(target, { recursive: true, force: true });
    renameSync(staging, target);
  } catch (cause) {
    rmSync(staging, { recursive: true, force: true });
    throw new Error(installRemedy(target, cause), { cause });
  }
}

function installRemedy(target: string, cause: unknown): string {
  const detail = cause instanceof Error ? cause.message.trim() : String(cause);
  return [
    `The tests need the Python package(s) ${PACKAGES.join(', ')}, and \`${PYTHON} -m pip\` could not install them.`,
    `Install pip (\`${PYTHON} -m ensurepip\`, or your system's python3-pip), or put the packages in place yourself:`,
    `  ${PYTHON} -m pip install --target ${target} ${PACKAGES.join(' ')}`,
    detail,
  ].join('\n');
}
