import type { AttachSpec } from '../worker/index.js';
import { AttachedProcess, type LaunchOptions } from '../worker/index.js';

/** Shares a pool's workers out among addresses: each new one goes where the fewest are. */
export class Attachments {
  readonly #spec: AttachSpec;
  readonly #counts: Map<string, number>;

  constructor(spec: AttachSpec) {
    this.#spec = spec;
    this.#counts = new Map(spec.addresses.map((address) => [address, 0]));
  }

  attach(options: LaunchOptions): AttachedProcess {
    const { token, tls, protocol } = this.#spec;
    const address = this.#leastUsed();
    this.#count(address, 1);
    const target = { address, token, tls, isOwn: false };
    return new AttachedProcess(target, protocol, options, () => this.#count(address, -1));
  }

  /** The first of them in the list, which moves to its end: one that fails must not keep the others from being tried. */
  #leastUsed(): string {
    const [first] = [...this.#counts].toSorted(([, a], [, b]) => a - b);
    if (first === undefined) throw new Error('there are no addresses');
    const [address, count] = first;
    this.#counts.delete(address);
    this.#counts.set(address, count);
    return address;
  }

  #count(address: string, change: number): void {
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + change);
  }
}
