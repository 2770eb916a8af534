import type { CommandManifest } from '../../channel/index.js';
import { CommandContract } from './command-contract.js';
import { loadCompiler } from './compile-schema.js';

/** What is checked of calls by what their commands say: see the pool option `validate`. */
export type Validation = 'none' | 'arguments' | 'all';

/** The contracts of a pool's commands, as the worker has them that became ready last. */
export class ContractRules {
  readonly #contracts = new Map<string, { readonly text: string; readonly contract: CommandContract }>();

  constructor(
    private readonly pool: string,
    private readonly validation: Validation,
  ) {}

  /** What a command's calls are held against; undefined where there is nothing. */
  contractOf(command: string): CommandContract | undefined {
    return this.#contracts.get(command)?.contract;
  }

  /** Takes in what a worker says of its commands. What it says as others did before stays as it is. */
  learn(commands: readonly CommandManifest[]): void {
    if (this.validation === 'none') return;
    const gone = new Set(this.#contracts.keys());
    for (const command of commands) {
      const { name, schema, positional, result } = command;
      const isChecked = schema !== undefined || (result !== undefined && this.validation === 'all');
      if (!isChecked) continue;
      gone.delete(name);
      const text = JSON.stringify([schema, positional, result]);
      if (this.#contracts.get(name)?.text === text) continue;
      const contract = new CommandContract(this.pool, command, this.validation === 'all');
      this.#contracts.set(name, { text, contract });
    }
    for (const name of gone) this.#contracts.delete(name);
    // While the pool starts, rather than at its first call.
    if (this.#contracts.size > 0) loadCompiler();
  }
}
