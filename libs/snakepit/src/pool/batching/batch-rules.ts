import type { CommandManifest } from '../../channel/index.js';
import { resolveOptions, SnakepitError } from '../../core/index.js';
import { BatchLine, type BatchStats } from './batch-line.js';
import { batchOptionTable, type BatchSettings } from './batch-options.js';

/** Who else than the pool's options would have a command batched. */
interface Declaration {
  readonly settings: BatchSettings;
  /** For messages. */
  readonly by: string;
}

/**
 * Which commands of a pool are batched, and how. The pool's options decide; where they say nothing of a command, the application's
 * code does; where that says nothing, the workers do.
 */
export class BatchRules {
  readonly #lines = new Map<string, BatchLine>();
  readonly #declarations = new Map<string, Declaration>();
  readonly #byOptions: Readonly<Record<string, BatchSettings>>;
  readonly #pool: string;
  /** Commands of the options that no worker has, each told of once. */
  readonly #missing = new Set<string>();

  constructor(pool: string, byOptions: Readonly<Record<string, BatchSettings>>) {
    this.#pool = pool;
    this.#byOptions = byOptions;
    for (const [command, settings] of Object.entries(byOptions)) {
      this.#lines.set(command, new BatchLine(command, settings, false));
    }
  }

  /** How the calls of a command are batched; undefined where they are not. */
  lineOf(command: string): BatchLine | undefined {
    return this.#lines.get(command);
  }

  /** @throws SnakepitError MISUSE where the application says two different things of one command. */
  declare(command: string, settings: BatchSettings, by: string): void {
    const other = this.#declarations.get(command);
    if (other !== undefined && !isSame(other.settings, settings)) {
      const reason = `${by} and ${other.by} batch '${command}' of pool '${this.#pool}' in different ways; say it once, or in the pool's option 'batch'.`;
      throw new SnakepitError('MISUSE', { reason });
    }
    this.#declarations.set(command, { settings, by });
    if (!Object.hasOwn(this.#byOptions, command)) {
      this.#lines.set(command, new BatchLine(command, settings, false));
    }
  }

  /**
   * Takes in what a worker that has become ready says of its commands. Returns those of the options that it does not have and that
   * were not returned before.
   */
  learn(commands: readonly CommandManifest[]): string[] {
    for (const { name, kind, batch } of commands) {
      if (kind !== 'call' || Object.hasOwn(this.#byOptions, name) || this.#declarations.has(name)) continue;
      if (batch === undefined) this.#lines.delete(name);
      else this.#wish(name, resolveOptions(batchOptionTable, batch, `batch of '${name}'`));
    }
    const offered = new Set(commands.map(({ name }) => name));
    const missing = Object.keys(this.#byOptions).filter((name) => !offered.has(name) && !this.#missing.has(name));
    for (const name of missing) this.#missing.add(name);
    return missing;
  }

  #wish(command: string, settings: BatchSettings): void {
    const line = this.#lines.get(command);
    if (line === undefined) this.#lines.set(command, new BatchLine(command, settings, true));
    else line.settings = settings;
  }

  /** By command; only those that are batched. */
  stats(): Readonly<Record<string, BatchStats>> {
    return Object.fromEntries([...this.#lines].map(([command, line]) => [command, line.stats]));
  }
}

function isSame(a: BatchSettings, b: BatchSettings): boolean {
  return a.maxSize === b.maxSize && a.maxWaitMs === b.maxWaitMs && a.adaptive === b.adaptive;
}
