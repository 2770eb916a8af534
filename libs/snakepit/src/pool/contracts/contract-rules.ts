import type { CommandManifest } from '../../channel/index.js';
import { CommandContract } from './command-contract.js';
import { loadCompiler } from './compile-schema.js';
import type { Validation } from './validation.js';

interface Entry {
  readonly text: string;
  /** The handler takes batches by itself, and says what one call of them is. */
  readonly knowsBatches: boolean;
  readonly contract: CommandContract;
}

/** The contracts of a pool's commands, as the worker has them that became ready last. */
export class ContractRules {
  readonly #contracts = new Map<string, Entry>();

  constructor(
    private readonly pool: string,
    private readonly validation: Validation,
  ) {}

  /**
   * What a command's calls are held against; undefined where there is nothing. Where it `isBatched` without its handler's knowledge, what
   * that says is about whole batches.
   */
  contractOf(command: string, isBatched: boolean): CommandContract | undefined {
    const entry = this.#contracts.get(command);
    return isBatched && entry?.knowsBatches === false ? undefined : entry?.contract;
  }

  /** Takes in what a worker says of its commands. What it says as others did before stays as it is. */
  learn(commands: readonly CommandManifest[]): void {
    const gone = new Set(this.#contracts.keys());
    for (const command of commands) {
      const { name, schema, positional, result, batch } = command;
      if (schema === undefined && result === undefined) continue;
      gone.delete(name);
      const knowsBatches = batch !== undefined;
      const text = JSON.stringify([schema, positional, result, knowsBatches]);
      if (this.#contracts.get(name)?.text === text) continue;
      const contract = new CommandContract(this.pool, command, this.validation);
      this.#contracts.set(name, { text, knowsBatches, contract });
    }
    for (const name of gone) this.#contracts.delete(name);
    // While the pool starts, rather than at its first call; where only single calls ask for checks, the first of them pays.
    if (this.#contracts.size > 0 && this.validation !== 'none') loadCompiler();
  }
}
