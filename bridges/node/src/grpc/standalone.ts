import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

import { startServer } from './server.js';
import type { Command } from '../load-commands.js';
import type { GrpcSettings, TlsTexts } from './settings.js';

/** The command line of a worker that no host starts; the Python SDK has the same flags, and says the same of them. */
const FLAGS = {
  module: { type: 'string' },
  listen: { type: 'string', multiple: true },
  'token-file': { type: 'string' },
  'no-token': { type: 'boolean' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-client-ca': { type: 'string' },
  'max-frame-bytes': { type: 'string' },
  reflection: { type: 'boolean' },
  'drain-seconds': { type: 'string' },
} as const;

export const STANDALONE_USAGE =
  'usage: snakepit-node-worker FILE --listen ADDRESS [--listen ADDRESS ...] (--token-file FILE | --no-token) ' +
  '[--tls-cert FILE --tls-key FILE --tls-client-ca FILE] [--max-frame-bytes N] [--reflection] [--drain-seconds N]';

/** What stands on the command line cannot be right. */
export class UsageError extends Error {}

const DEFAULT_MAX_FRAME_BYTES = 64 * 1024 * 1024;
const MAX_FRAME_BYTES = 2 ** 31 - 1;
/** Less than the half minute after which Kubernetes kills. */
const DEFAULT_DRAIN_SECONDS = 25;
const MAX_DRAIN_SECONDS = 86_400;

type Flags = ReturnType<typeof readFlags>['values'];

/**
 * Serves whatever hosts attach, and prints a line of JSON with where it listens.
 *
 * @throws UsageError; Error for files that cannot be read, addresses that are taken, and commands that do not load
 */
export async function serveStandalone(
  args: readonly string[],
  load: (module: string) => Promise<Command[]>,
): Promise<void> {
  const { values: flags, positionals } = readFlags(args);
  const [module, ...surplus] = flags.module === undefined ? positionals : [flags.module, ...positionals];
  if (module === undefined) throw new UsageError('a module is needed, such as report.js');
  if (surplus.length > 0) throw new UsageError(`unrecognized arguments: ${surplus.join(' ')}`);
  checkBelonging(flags);
  const maxFrameBytes = maxFrameBytesOf(flags);
  const drainMs = 1000 * drainSecondsOf(flags);
  const settings: GrpcSettings = {
    listen: flags.listen ?? [],
    token: await readToken(flags['token-file']),
    maxFrameBytes,
    tls: await readTls(flags),
    reflection: flags.reflection === true,
  };
  const listening = await startServer(settings, await load(module), { isOwned: false, drainMs });
  process.on('SIGINT', () => process.kill(process.pid, 'SIGTERM'));
  process.stdout.write(`${JSON.stringify({ listening })}\n`);
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function checkBelonging(flags: Flags): void {
  const tls = [flags['tls-cert'], flags['tls-key'], flags['tls-client-ca']].filter((path) => path !== undefined);
  if (tls.length > 0 && tls.length < 3) {
    throw new UsageError('--tls-cert, --tls-key and --tls-client-ca belong together');
  }
  if (flags['token-file'] !== undefined && flags['no-token'] === true) {
    throw new UsageError('--token-file and --no-token exclude each other');
  }
  if (flags['token-file'] === undefined && flags['no-token'] !== true) {
    throw new UsageError('--token-file is needed, or --no-token where whoever can connect may run commands');
  }
}

async function readToken(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const token = (await readText('--token-file', path)).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Error(`--token-file: ${path} must hold one token of visible ASCII characters`);
}

async function readTls(flags: Flags): Promise<TlsTexts | undefined> {
  const { 'tls-cert': certificate, 'tls-key': key, 'tls-client-ca': clientCa } = flags;
  if (certificate === undefined || key === undefined || clientCa === undefined) return undefined;
  return {
    certificate: await readText('--tls-cert', certificate),
    key: await readText('--tls-key', key),
    clientCa: await readText('--tls-client-ca', clientCa),
  };
}

async function readText(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(`${flag}: ${(cause as Error).message}`, { cause });
  }
}

function maxFrameBytesOf({ 'max-frame-bytes': text }: Flags): number {
  if (text === undefined) return DEFAULT_MAX_FRAME_BYTES;
  const number = Number(text);
  if (/^\d+$/.test(text) && number > 0 && number <= MAX_FRAME_BYTES) return number;
  throw new UsageError(`--max-frame-bytes must be a whole number from 1 to ${MAX_FRAME_BYTES}`);
}

function drainSecondsOf({ 'drain-seconds': text }: Flags): number {
  if (text === undefined) return DEFAULT_DRAIN_SECONDS;
  const number = Number(text);
  if (/^\d+(\.\d*)?$/.test(text) && number <= MAX_DRAIN_SECONDS) return number;
  throw new UsageError(`--drain-seconds must be a number from 0 to ${MAX_DRAIN_SECONDS}`);
}
