import { spawn } from 'node:child_process';
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

import { SnakepitError, toError, type LogSink } from '../core/index.js';
import { locateBridge } from './bridge-location.js';
import { onlyOne } from './build-lock.js';

export const MINIMUM_GO = [1, 21] as const;

/** The module by which Go programs import the SDK; nobody can publish it, so that it is always the one of this package. */
export const GO_MODULE = 'nestjs-snakepit/snakepit';

const TAIL_LINES = 20;
/** Kinds of files, as `go list` names them, that a package is made of. */
const FILES = [
  'GoFiles',
  'CgoFiles',
  'CFiles',
  'CXXFiles',
  'HFiles',
  'FFiles',
  'SFiles',
  'SysoFiles',
  'SwigFiles',
  'SwigCXXFiles',
  'EmbedFiles',
] as const;
/** What of the environment changes the program that comes out, besides the sources. */
const BUILD_VARIABLES = ['GOVERSION', 'GOOS', 'GOARCH', 'CGO_ENABLED', 'GOFLAGS', 'GOEXPERIMENT', 'CC', 'CGO_CFLAGS'];

export interface GoBuildWish {
  /** Absolute path of the program `go`. */
  readonly toolchain: string;
  /** Absolute path of the package's folder. */
  readonly folder: string;
  /** Further arguments of `go build`. */
  readonly buildArgs: readonly string[];
  /** Where builds are kept. */
  readonly root: string;
}

export interface GoBuild {
  readonly executable: string;
  /** The folders of the packages whose sources may change. */
  readonly folders: readonly string[];
}

type GoPackage = Partial<Record<(typeof FILES)[number], readonly string[]>> & {
  readonly ImportPath: string;
  readonly Name: string;
  readonly Dir: string;
  readonly Standard?: boolean;
  readonly DepOnly?: boolean;
  readonly Module?: {
    readonly Path: string;
    readonly Version?: string;
    readonly Replace?: { readonly Path: string; readonly Version?: string };
  };
};

/** Where builds are kept when nothing else is said: https://specifications.freedesktop.org/basedir-spec/latest/ */
export function defaultBuildRoot(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'nestjs-snakepit', 'go');
}

/**
 * Builds a Go package, or finds the build again by a hash of what it is made from. Of those who ask at the same time, other processes
 * included, one builds. What steers Go (its variables, proxies) comes from the host's own environment.
 *
 * @throws SnakepitError BUILD_FAILED with the last lines of `go`; INTERPRETER_NOT_FOUND for one that is too old
 */
export async function provideGoBuild(wish: GoBuildWish, log: LogSink): Promise<GoBuild> {
  const { toolchain, folder, buildArgs, root } = wish;
  const environment = await environmentOf(wish);
  const packages = await packagesOf(wish);
  const own = packages.filter((each) => isChangeable(each));
  const name = basename(folder);
  const executable = join(root, keyOf(environment, buildArgs, packages), name);
  const say = (message: string): void => log({ level: 'info', message, logger: 'go build' });
  await onlyOne(`${executable}.lock`, {
    isDone: () => existsSync(executable),
    onWait: () => say(`the Go package ${folder} is being built elsewhere; waiting for it`),
    act: async () => {
      const startedAt = performance.now();
      say(`building the Go package ${folder}`);
      // What is not whole never has the name of a build.
      const unfinished = `${executable}.${randomBytes(6).toString('hex')}`;
      try {
        await run(wish, ['build', '-o', unfinished, ...buildArgs, '.']);
        renameSync(unfinished, executable);
      } finally {
        rmSync(unfinished, { force: true });
      }
      say(`built the Go package in ${((performance.now() - startedAt) / 1000).toFixed(1)} s, by ${toolchain}`);
    },
  });
  return { executable, folders: [...new Set(own.map(({ Dir }) => Dir))] };
}

/** @throws SnakepitError INTERPRETER_NOT_FOUND */
async function environmentOf(wish: GoBuildWish): Promise<Readonly<Record<string, string>>> {
  const found = JSON.parse(await run(wish, ['env', '-json'])) as Record<string, string>;
  const version = found['GOVERSION'] ?? '';
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(version) ?? [];
  const [neededMajor, neededMinor] = MINIMUM_GO;
  // One that was built from a working copy, "devel …", is as new as can be.
  const isOld =
    major !== undefined &&
    (Number(major) < neededMajor || (Number(major) === neededMajor && Number(minor) < neededMinor));
  if (isOld || version === '') {
    const what = version === '' ? 'of a Go without a version' : version.replace('go', 'Go ');
    throw toolchainNotFound(wish.toolchain, `it is ${what}, and ${neededMajor}.${neededMinor} or newer is needed`);
  }
  return Object.fromEntries(BUILD_VARIABLES.map((name) => [name, found[name] ?? '']));
}

export function toolchainNotFound(tried: string, reason: string | undefined): SnakepitError {
  const source = 'https://go.dev/dl';
  return new SnakepitError('INTERPRETER_NOT_FOUND', { language: 'Go', option: 'toolchain', tried, reason, source });
}

/** The package and all that it imports. */
async function packagesOf(wish: GoBuildWish): Promise<readonly GoPackage[]> {
  const fields = ['ImportPath', 'Name', 'Dir', 'Standard', 'DepOnly', 'Module', ...FILES].join(',');
  const text = await run(wish, ['list', '-deps', `-json=${fields}`, ...wish.buildArgs, '.']);
  const packages = JSON.parse(`[${text.replaceAll(/^\}\n\{/gm, '},{')}]`) as GoPackage[];
  const target = packages.find(({ DepOnly }) => DepOnly !== true);
  if (target?.Name !== 'main') {
    throw failed(wish, `: it is package ${target?.Name ?? 'unknown'}, no program; a worker is of package main.`);
  }
  return packages.filter(({ Standard }) => Standard !== true);
}

/** Whether its files are somebody's to edit; those in Go's module cache are not. */
function isChangeable({ Module: module }: GoPackage): boolean {
  return (module?.Replace ?? module)?.Version === undefined;
}

function keyOf(
  environment: Readonly<Record<string, string>>,
  buildArgs: readonly string[],
  packages: readonly GoPackage[],
): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([environment, buildArgs]));
  for (const each of packages) {
    const module = each.Module?.Replace ?? each.Module;
    hash.update(JSON.stringify([each.ImportPath, module?.Path, module?.Version]));
    if (isChangeable(each)) hashFiles(hash, each);
  }
  return hash.digest('hex').slice(0, 32);
}

function hashFiles(hash: Hash, each: GoPackage): void {
  for (const name of FILES.flatMap((kind) => each[kind] ?? []).toSorted()) {
    const content = readFileSync(join(each.Dir, name));
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
}

function failed({ folder }: GoBuildWish, reason: string, remedy?: string): SnakepitError {
  return new SnakepitError('BUILD_FAILED', {
    language: 'Go',
    package: folder,
    reason: reason.replace(/^: /, ''),
    ...(remedy !== undefined && { remedy }),
  });
}

/** Runs `go` in the package's folder and returns what it prints. */
async function run(wish: GoBuildWish, args: readonly string[]): Promise<string> {
  mkdirSync(wish.root, { recursive: true, mode: 0o700 });
  const child = spawn(wish.toolchain, args, { cwd: wish.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, complaints] = [child.stdout, child.stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString();
  }) as [() => string, () => string];
  let outcome: readonly unknown[];
  try {
    outcome = await once(child, 'close');
  } catch (error) {
    throw toolchainNotFound(wish.toolchain, `it does not run: ${toError(error).message}`);
  }
  const [status, signal] = outcome as [number | null, NodeJS.Signals | null];
  if (status === 0) return out();
  const lines = (complaints() || out()).trimEnd().split('\n').slice(-TAIL_LINES);
  const ending = signal === null ? `with status ${status}` : `by ${signal}`;
  const reason = `go ${args[0]} ended ${ending} and these last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  throw failed(wish, reason, remedyFor(lines.join('\n')));
}

/** What is to be done where the SDK, or the whole of `go.mod`, is missing. */
function remedyFor(lines: string): string | undefined {
  const isMissing = /go\.mod file not found|no required module provides|is replaced but not required|not in std/.test(
    lines,
  );
  if (!isMissing || !(lines.includes(GO_MODULE) || lines.includes('go.mod file not found'))) return undefined;
  return (
    `The package needs a go.mod that says where the SDK is. In its folder:\n` +
    `  go mod init worker                     (where there is none)\n` +
    `  go mod edit -require=${GO_MODULE}@v0.0.0 -replace=${GO_MODULE}=${locateBridge('go')}`
  );
}
