/** What the scripted workers did, to be held against what callers were told. */
export class Journal {
  readonly #begun = new Map<number, number>();
  readonly #finished = new Set<number>();

  begin(call: number): void {
    this.#begun.set(call, this.timesBegun(call) + 1);
  }

  finish(call: number): void {
    this.#finished.add(call);
  }

  timesBegun(call: number): number {
    return this.#begun.get(call) ?? 0;
  }

  hasFinished(call: number): boolean {
    return this.#finished.has(call);
  }
}
