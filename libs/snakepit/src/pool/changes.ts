/** Lets tasks wait for what has no event of its own: conditions are looked at again whenever something has changed. */
export class Changes {
  readonly #waiters = new Set<() => void>();

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
    });
  }

  /** Something changed that a waiter may wait for. */
  tell(): void {
    for (const check of this.#waiters) check();
  }
}
