import { SnakepitError } from '../../core/index.js';
import type { PoolService } from '../../runtime/index.js';
import type { CommandDeclaration } from './command.metadata.js';

/** @throws SnakepitError MISUSE when the pool's workers tell their commands and this one is not among them, or of another kind. */
export function assertOffered(declaration: CommandDeclaration, { name, commands }: PoolService): void {
  if (commands === undefined) return;
  const { label, command, options } = declaration;
  const offered = commands.find((each) => each.name === command);
  if (offered === undefined) {
    const known = commands.map((each) => each.name).join(', ') || 'none';
    throw misuse(label, `no worker of pool '${name}' offers '${command}'. Name one of its commands: ${known}.`);
  }
  if (options.stream && offered.kind === 'call') {
    throw misuse(label, `'${command}' of pool '${name}' has one result; remove 'stream: true' or make it a generator.`);
  }
  if (!options.stream && offered.kind === 'stream') {
    throw misuse(label, `'${command}' of pool '${name}' is a stream; add 'stream: true'.`);
  }
}

function misuse(label: string, what: string): SnakepitError {
  return new SnakepitError('MISUSE', { reason: `@SnakepitCommand on ${label}: ${what}` });
}
