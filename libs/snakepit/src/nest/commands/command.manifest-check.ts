import { SnakepitError } from '../../core/index.js';
import type { CommandDeclaration } from './command.metadata.js';

/** What is known of the commands of a pool; nothing where neither its workers nor its adapter tell. */
export interface Offer {
  readonly pool: string;
  readonly commands: readonly { readonly name: string; readonly kind?: 'call' | 'stream' }[] | undefined;
}

/** @throws SnakepitError MISUSE when the pool is known not to offer the command, or as another kind. */
export function assertOffered(declaration: CommandDeclaration, { pool, commands }: Offer): void {
  if (commands === undefined) return;
  const { label, command, options } = declaration;
  const offered = commands.find((each) => each.name === command);
  if (offered === undefined) {
    const known = commands.map((each) => each.name).join(', ') || 'none';
    throw misuse(label, `no worker of pool '${pool}' offers '${command}'. Name one of its commands: ${known}.`);
  }
  if (options.stream && offered.kind === 'call') {
    throw misuse(label, `'${command}' of pool '${pool}' has one result; remove 'stream: true' or make it a generator.`);
  }
  if (!options.stream && offered.kind === 'stream') {
    throw misuse(label, `'${command}' of pool '${pool}' is a stream; add 'stream: true'.`);
  }
}

function misuse(label: string, what: string): SnakepitError {
  return new SnakepitError('MISUSE', { reason: `@SnakepitCommand on ${label}: ${what}` });
}
