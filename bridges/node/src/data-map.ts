import type { DataMap, Session } from './context.js';

/** Asks the host on behalf of one call. */
export type AskHost = (method: string, args: Readonly<Record<string, unknown>>) => Promise<unknown>;

type MapName = 'metadata' | 'programs' | 'globals';

const MAX_UPDATE_ATTEMPTS = 100;

/** A map that lives in the host. */
export class RemoteMap implements DataMap {
  constructor(
    private readonly map: MapName,
    private readonly ask: AskHost,
  ) {}

  async get(key: string): Promise<unknown> {
    const { found, value } = await this.#read(key);
    return found ? value : undefined;
  }

  async set(key: string, value: unknown): Promise<void> {
    await this.#write(key, value);
  }

  async delete(key: string): Promise<boolean> {
    const { written } = (await this.ask('session.delete', { map: this.map, key })) as { written: boolean };
    return written;
  }

  async keys(): Promise<string[]> {
    return (await this.ask('session.keys', { map: this.map })) as string[];
  }

  async update<Value>(key: string, change: (value: unknown) => Value | Promise<Value>): Promise<Value> {
    for (let attempt = 1; attempt <= MAX_UPDATE_ATTEMPTS; attempt += 1) {
      const { found, value, revision } = await this.#read(key);
      const changed = await change(found ? value : undefined);
      if (await this.#write(key, changed, revision)) return changed;
    }
    throw new Error(`'${key}' of ${this.map} changed ${MAX_UPDATE_ATTEMPTS} times while it was being updated`);
  }

  async #read(key: string): Promise<{ found: boolean; value: unknown; revision: number }> {
    const answer = await this.ask('session.read', { map: this.map, key });
    return answer as { found: boolean; value: unknown; revision: number };
  }

  async #write(key: string, value: unknown, revision?: number): Promise<boolean> {
    const answer = await this.ask('session.write', { map: this.map, key, value, revision });
    return (answer as { written: boolean }).written;
  }
}

export class RemoteSession extends RemoteMap implements Session {
  readonly programs: DataMap;

  constructor(
    readonly id: string | undefined,
    ask: AskHost,
  ) {
    super('metadata', ask);
    this.programs = new RemoteMap('programs', ask);
  }
}
