import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';

import { toError } from '../../core/index.js';
import { createSnakepit, type SnakepitOptions } from '../../runtime/index.js';
import { EXIT_STATUSES } from '../exit-status.js';
import { UsageError } from '../usage-error.js';
import { chosenAdapter, type WorkerChoice } from '../worker-choice.js';
import { clientText } from './client-text.js';
import { contractsOf, readContractLines, type CommandContract } from './contract-lines.js';
import { driftOf } from './drift.js';
import { isIdentifier, pascalCase } from './identifiers.js';
import { poolOf } from './pool-config.js';

/** What commander makes of the options of `types`. */
export interface TypesOptions extends WorkerChoice {
  readonly config?: string;
  readonly pool?: string;
  readonly name?: string;
  readonly out?: string;
  readonly check?: boolean;
}

/**
 * Writes the client, or compares it. Returns the exit status.
 *
 * @throws UsageError, or SnakepitError for a worker that does not start
 */
export async function runTypes(options: TypesOptions): Promise<number> {
  const { check = false, out, pool } = options;
  if (check && out === undefined) throw new UsageError('say by --out which client is to be checked');
  const before = check ? await readFileAt(out!) : undefined;
  const name = before === undefined ? nameOf(options) : (classIn(before) ?? nameOf(options));
  const contracts = await readContracts(options);
  const text = clientText(contracts, { name, pool });
  if (before !== undefined) return tellDrift(before, text, contracts, options);
  if (out === undefined) process.stdout.write(text);
  else await writeFileAt(out, text);
  return EXIT_STATUSES.done.status;
}

async function readContracts(options: TypesOptions): Promise<CommandContract[]> {
  const snakepit = await createSnakepit(await poolOptions(options));
  try {
    const { commands } = snakepit.pool();
    if (commands !== undefined) return contractsOf(commands);
  } finally {
    await snakepit.close();
  }
  throw new UsageError('protocol v1 does not tell which commands there are; use a worker that speaks v2');
}

async function poolOptions(options: TypesOptions): Promise<SnakepitOptions> {
  const { config, pool } = options;
  if (config !== undefined) return poolOf(config, pool);
  return { adapter: await chosenAdapter(options), size: 1 };
}

function tellDrift(before: string, now: string, contracts: readonly CommandContract[], options: TypesOptions): number {
  const out = options.out!;
  const changes = driftOf(readContractLines(before, out), contracts);
  for (const { isBreaking, text } of changes) console.error(`${isBreaking ? 'BREAKING' : 'changed '}  ${text}`);
  if (changes.length === 0 && essence(before) !== essence(now)) {
    console.error(
      `${out} is not what would be written today: it was changed by hand, or is of another pool or version`,
    );
  } else if (changes.length === 0) {
    return EXIT_STATUSES.done.status;
  }
  console.error(
    `snakepit: ${out} does not fit the worker; run the same command without --check, and mend what no longer compiles`,
  );
  return EXIT_STATUSES.failed.status;
}

/** A source without what formatters change. */
function essence(source: string): string {
  return source
    .replace(/\s+/g, '')
    .replaceAll('"', "'")
    .replace(/[;,]|\|(?=')/g, '')
    .replace(/([:=<({[])\|/g, '$1');
}

function nameOf({ name, python, node, pool }: TypesOptions): string {
  if (name !== undefined) {
    if (isIdentifier(name)) return name;
    throw new UsageError(`'${name}' cannot be the name of a class`);
  }
  const file = python ?? node;
  const stem = file === undefined ? (pool ?? 'worker') : basename(file, extname(file));
  return `${pascalCase(stem)}Client`;
}

/** The class's name is the file's own, unless another is asked for. */
function classIn(source: string): string | undefined {
  return /^export abstract class ([\w$]+)/m.exec(source)?.[1];
}

async function readFileAt(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`the client cannot be read: ${toError(error).message}`, { cause: error });
  }
}

async function writeFileAt(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (error) {
    throw new UsageError(`the client cannot be written: ${toError(error).message}`, { cause: error });
  }
}
