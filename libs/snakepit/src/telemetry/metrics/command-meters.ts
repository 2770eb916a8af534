import { CommandMeter } from './command-meter.js';

/** Stands for all commands that get no label of their own. */
export const OTHER_COMMANDS = 'other';

export interface CommandMetersParts {
  readonly bounds: readonly number[];
  /** How many names per pool that its workers do not tell of get a label: callers may make up any number of them. */
  readonly maxCommands: number;
  /** Whether the pool's workers have said that they have the command. */
  readonly knows: (pool: string, command: string) => boolean;
}

interface PoolMeters {
  readonly byName: Map<string, CommandMeter>;
  /** How many names of {@link byName} nobody but a caller has named. */
  unknown: number;
}

/** The meters of all commands, and which commands share one. */
export class CommandMeters {
  readonly #parts: CommandMetersParts;
  readonly #pools = new Map<string, PoolMeters>();

  constructor(parts: CommandMetersParts) {
    this.#parts = parts;
  }

  *[Symbol.iterator](): IterableIterator<CommandMeter> {
    for (const { byName } of this.#pools.values()) yield* byName.values();
  }

  of(pool: string, kind: 'call' | 'stream', command: string): CommandMeter {
    const meters = this.#of(pool);
    return meters.byName.get(`${kind} ${command}`) ?? this.#add(meters, pool, kind, command);
  }

  #add(meters: PoolMeters, pool: string, kind: 'call' | 'stream', command: string): CommandMeter {
    const { bounds, maxCommands, knows } = this.#parts;
    if (command !== OTHER_COMMANDS && !knows(pool, command)) {
      if (meters.unknown >= maxCommands) return this.of(pool, kind, OTHER_COMMANDS);
      meters.unknown += 1;
    }
    const meter = new CommandMeter(pool, kind, command, bounds);
    meters.byName.set(`${kind} ${command}`, meter);
    return meter;
  }

  #of(pool: string): PoolMeters {
    let meters = this.#pools.get(pool);
    if (meters === undefined) {
      meters = { byName: new Map(), unknown: 0 };
      this.#pools.set(pool, meters);
    }
    return meters;
  }
}
