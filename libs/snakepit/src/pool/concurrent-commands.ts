import type { CommandManifest } from '../channel/index.js';

/** Which commands the workers of a pool run side by side; none where they are asked for one long call at a time. */
export class ConcurrentCommands {
  #alone: ReadonlySet<string> = new Set();

  /** @param concurrency how many long calls a worker is to run at once */
  constructor(private readonly concurrency: number) {}

  /** Takes in what a worker says; true when that is something new. */
  learn(commands: readonly CommandManifest[]): boolean {
    if (this.concurrency === 1) return false;
    const alone = new Set(commands.flatMap(({ name, concurrent }) => (concurrent === false ? [name] : [])));
    const isNew = alone.size !== this.#alone.size || [...alone].some((name) => !this.#alone.has(name));
    this.#alone = alone;
    return isNew;
  }

  /** Of a command that no worker has told of it is so: whoever sets `concurrency` says that they can. */
  has(command: string): boolean {
    return this.concurrency > 1 && !this.#alone.has(command);
  }
}
