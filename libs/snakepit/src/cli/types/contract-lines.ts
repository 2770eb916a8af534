import type { CommandManifest } from '../../channel/index.js';
import { readSchema } from '../../codec/index.js';
import { toError } from '../../core/index.js';
import { UsageError } from '../usage-error.js';
import { canonicalText } from './canonical.js';
import { escaped } from './literals.js';

const MARK = '// contract: ';

/** What a client was written from: a command's name, kind and types. */
export type CommandContract = Pick<CommandManifest, 'name' | 'kind' | 'doc' | 'schema' | 'positional' | 'result'>;

/** What a client depends on of a manifest, in its order. */
export function contractsOf(commands: readonly CommandManifest[]): CommandContract[] {
  return commands.map(({ name, kind, doc, schema, positional, result }) => ({
    name,
    kind,
    ...(doc !== undefined && { doc }),
    ...(schema && { schema }),
    ...(positional && { positional }),
    ...(result && { result }),
  }));
}

/** The end of a client's file, from which it can be told later what has changed. */
export function contractLines(contracts: readonly CommandContract[]): string {
  return contracts.map((contract) => `${MARK}${escaped(canonicalText(contract))}\n`).join('');
}

/** @throws UsageError for a file that holds no contracts */
export function readContractLines(text: string, path: string): CommandContract[] {
  const lines = text.split('\n').filter((line) => line.startsWith(MARK));
  if (lines.length === 0)
    throw new UsageError(`${path} is no client that \`snakepit types\` has written; write it with --out`);
  return lines.map((line) => {
    try {
      const contract = JSON.parse(line.slice(MARK.length)) as CommandContract;
      if (contract.schema !== undefined) readSchema(contract.schema, 'schema');
      if (contract.result !== undefined) readSchema(contract.result, 'result');
      if (typeof contract.name !== 'string') throw new TypeError('it has no name');
      return contract;
    } catch (error) {
      throw new UsageError(`${path}: a contract was changed by hand (${toError(error).message}); write the file anew`);
    }
  });
}
