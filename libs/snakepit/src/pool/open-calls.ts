/** Counts the calls that are not yet over, and tells when none is left. */
export class OpenCalls {
  #count = 0;
  readonly #waiters = new Set<() => void>();

  get count(): number {
    return this.#count;
  }

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    if (this.#count === 0) for (const reached of this.#waiters) reached();
  }

  /** Resolves when no call is open, or when the one who waits gives up. */
  none(): { readonly reached: Promise<void>; readonly giveUp: () => void } {
    if (this.#count === 0) return { reached: Promise.resolve(), giveUp: () => {} };
    let giveUp = (): void => {};
    const reached = new Promise<void>((resolve) => {
      giveUp = () => {
        this.#waiters.delete(giveUp);
        resolve();
      };
    });
    this.#waiters.add(giveUp);
    return { reached, giveUp };
  }
}
