import type { CallKind, CommandManifest } from '../channel/index.js';
import type { CallMeters, LogSink } from '../core/index.js';
import type { BatchStats } from './batching/batch-line.js';
import type { BatchSettings } from './batching/batch-options.js';
import { BatchRules } from './batching/batch-rules.js';
import { CommandProfile } from './command-profile.js';
import { ConcurrentCommands } from './concurrent-commands.js';
import type { CommandContract } from './contracts/command-contract.js';
import { ContractRules } from './contracts/contract-rules.js';
import type { ResolvedPoolOptions } from './options.js';

/** Names that no worker knows must not pile up. */
const MAX_PROFILES = 65_536;

export interface CommandBookParts {
  readonly name: string;
  readonly options: Pick<ResolvedPoolOptions, 'batch' | 'validate' | 'concurrency'>;
  readonly log: LogSink;
}

/** What a pool knows of its commands, by options, by the application's code, by what workers say and by the calls so far. */
export class CommandBook {
  readonly #pool: string;
  readonly #log: LogSink;
  readonly #profiles: Readonly<Record<CallKind, Map<string, CommandProfile>>> = { call: new Map(), stream: new Map() };
  readonly #batches: BatchRules;
  readonly #contracts: ContractRules;
  readonly #concurrent: ConcurrentCommands;
  #meters: CallMeters | undefined;

  constructor({ name, options, log }: CommandBookParts) {
    this.#pool = name;
    this.#log = log;
    this.#batches = new BatchRules(name, options.batch);
    this.#contracts = new ContractRules(name, options.validate);
    this.#concurrent = new ConcurrentCommands(options.concurrency);
  }

  profileOf(kind: CallKind, command: string): CommandProfile {
    const profiles = this.#profiles[kind];
    let profile = profiles.get(command);
    if (profile === undefined) {
      profile = new CommandProfile(kind, this.#concurrent.has(command));
      if (kind === 'call') profile.batching = this.#batches.lineOf(command);
      profile.contract = this.#contractOf(command);
      profile.meter = this.#meters?.meterOf(this.#pool, kind, command);
      if (profiles.size < MAX_PROFILES) profiles.set(command, profile);
    }
    return profile;
  }

  /** Where calls are counted; undefined while nobody has asked for that. */
  get meters(): CallMeters | undefined {
    return this.#meters;
  }

  meter(meters: CallMeters | undefined): void {
    this.#meters = meters;
    for (const kind of ['call', 'stream'] as const) {
      for (const [command, profile] of this.#profiles[kind]) {
        profile.meter = meters?.meterOf(this.#pool, kind, command);
      }
    }
  }

  /** See {@link BatchRules.declare}. */
  declareBatch(command: string, settings: BatchSettings, by: string): void {
    this.#batches.declare(command, settings, by);
    this.#applyBatches();
  }

  /** By command; only those that are batched. */
  batchStats(): Readonly<Record<string, BatchStats>> {
    return this.#batches.stats();
  }

  /**
   * Takes in what a worker that has become ready says of its commands. Returns whether their waiting calls may belong into another
   * queue.
   */
  learn(commands: readonly CommandManifest[]): boolean {
    this.#learnBatches(commands);
    this.#contracts.learn(commands);
    this.#applyContracts();
    return this.#learnConcurrency(commands);
  }

  #learnBatches(commands: readonly CommandManifest[]): void {
    for (const command of this.#batches.learn(commands)) {
      const message = `the option 'batch' names '${command}', which is none of the workers' commands`;
      this.#log({ level: 'warn', pool: this.#pool, message });
    }
    this.#applyBatches();
  }

  #applyBatches(): void {
    for (const [command, profile] of this.#profiles.call) profile.batching = this.#batches.lineOf(command);
    this.#applyContracts();
  }

  #applyContracts(): void {
    for (const profiles of Object.values(this.#profiles)) {
      for (const [command, profile] of profiles) profile.contract = this.#contractOf(command);
    }
  }

  #contractOf(command: string): CommandContract | undefined {
    return this.#contracts.contractOf(command, this.#batches.lineOf(command) !== undefined);
  }

  #learnConcurrency(commands: readonly CommandManifest[]): boolean {
    if (!this.#concurrent.learn(commands)) return false;
    for (const profiles of Object.values(this.#profiles)) {
      for (const [command, profile] of profiles) profile.isConcurrent = this.#concurrent.has(command);
    }
    return true;
  }
}
