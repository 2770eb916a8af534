import { SnakepitError } from '../../core/index.js';
import type { PoolService, Snakepit } from '../../runtime/index.js';

/** What somebody has declared to be a command of a pool. */
export interface DeclaredCommand {
  /** `@SnakepitCommand on Reports.summarize()`, for messages. */
  readonly what: string;
  readonly command: string;
  readonly stream: boolean;
}

/** What is known of the commands of a pool; nothing where neither its workers nor its adapter tell. */
export interface Offer {
  readonly pool: string;
  readonly commands: readonly { readonly name: string; readonly kind?: 'call' | 'stream' }[] | undefined;
}

/** What the workers of a pool have told, or else its adapter. */
export function offerOf(snakepit: Snakepit, { name: pool, commands }: PoolService): Offer {
  const supported = snakepit.options.pools[pool]?.adapter.supportedCommands;
  return { pool, commands: commands ?? supported?.map((name) => ({ name })) };
}

/** @throws SnakepitError MISUSE when the pool is known not to offer the command, or as another kind. */
export function assertOffered({ what, command, stream }: DeclaredCommand, { pool, commands }: Offer): void {
  if (commands === undefined) return;
  const offered = commands.find((each) => each.name === command);
  if (offered === undefined) {
    const known = commands.map((each) => each.name).join(', ') || 'none';
    throw misuse(what, `no worker of pool '${pool}' offers '${command}'. Name one of its commands: ${known}.`);
  }
  if (stream && offered.kind === 'call') {
    throw misuse(what, `'${command}' of pool '${pool}' has one result; remove 'stream: true' or make it a generator.`);
  }
  if (!stream && offered.kind === 'stream') {
    throw misuse(what, `'${command}' of pool '${pool}' is a stream; add 'stream: true'.`);
  }
}

function misuse(what: string, why: string): SnakepitError {
  return new SnakepitError('MISUSE', { reason: `${what}: ${why}` });
}
