import { readFile } from 'node:fs/promises';

import type { Command } from '../load-commands.js';
import { startServer } from './server.js';
import type { TlsTexts } from './settings.js';

/** The command line of a worker that no host starts. */
export const STANDALONE_OPTIONS = {
  listen: { type: 'string', multiple: true },
  'token-file': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-client-ca': { type: 'string' },
  'max-frame-bytes': { type: 'string' },
  'drain-seconds': { type: 'string' },
  reflection: { type: 'boolean' },
} as const;

/** What `parseArgs` makes of them. */
export interface StandaloneFlags {
  readonly listen: readonly string[];
  readonly 'token-file'?: string;
  readonly 'tls-cert'?: string;
  readonly 'tls-key'?: string;
  readonly 'tls-client-ca'?: string;
  readonly 'max-frame-bytes'?: string;
  readonly 'drain-seconds'?: string;
  readonly reflection?: boolean;
}

const DEFAULT_MAX_FRAME_BYTES = 64 * 1024 * 1024;
const MAX_FRAME_BYTES = 2 ** 31 - 1;
/** Less than the half minute after which Kubernetes kills. */
const DEFAULT_DRAIN_SECONDS = 25;
const MAX_DRAIN_SECONDS = 86_400;

/** Serves whatever hosts attach, and prints a line of JSON with where it listens. */
export async function serveStandalone(flags: StandaloneFlags, load: () => Promise<Command[]>): Promise<void> {
  const settings = {
    listen: flags.listen,
    token: await readToken(flags['token-file']),
    maxFrameBytes: numberOf(flags, 'max-frame-bytes', DEFAULT_MAX_FRAME_BYTES, MAX_FRAME_BYTES),
    tls: await readTls(flags),
  };
  if (flags.reflection === true) throw new Error('--reflection: this SDK has no gRPC reflection');
  const drainMs = 1000 * numberOf(flags, 'drain-seconds', DEFAULT_DRAIN_SECONDS, MAX_DRAIN_SECONDS);
  const listening = await startServer(settings, await load(), { isOwned: false, drainMs });
  process.on('SIGINT', () => process.kill(process.pid, 'SIGTERM'));
  console.log(JSON.stringify({ listening }));
}

async function readToken(path: string | undefined): Promise<string> {
  if (path === undefined) throw new Error('--listen needs --token-file FILE: the token that hosts have to show');
  const token = (await readText('--token-file', path)).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Error(`--token-file: ${path} must hold one token of visible ASCII characters`);
}

async function readTls(flags: StandaloneFlags): Promise<TlsTexts | undefined> {
  const names = ['tls-cert', 'tls-key', 'tls-client-ca'] as const;
  const given = names.filter((name) => flags[name] !== undefined);
  if (given.length === 0) return undefined;
  const missing = names.filter((name) => flags[name] === undefined);
  if (missing.length > 0) throw new Error(`--${given[0]} needs --${missing.join(' and --')} as well`);
  const [certificate, key, clientCa] = await Promise.all(names.map((name) => readText(`--${name}`, flags[name]!)));
  return { certificate: certificate!, key: key!, clientCa: clientCa! };
}

async function readText(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Error(`${flag}: ${(cause as Error).message}`, { cause });
  }
}

function numberOf(
  flags: StandaloneFlags,
  name: 'max-frame-bytes' | 'drain-seconds',
  preset: number,
  max: number,
): number {
  const text = flags[name];
  if (text === undefined) return preset;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0 && number <= max) return number;
  throw new Error(`--${name} is '${text}'; expected a whole number from 1 to ${max}`);
}
