/** Something that must hold did not. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function fail(message: string): never {
  throw new Violation(message);
}

/** Keeps the first violation of those that are found where throwing would disturb the code under test. */
export class Findings {
  #first: unknown;

  guard(check: () => void): void {
    try {
      check();
    } catch (violation) {
      this.#first ??= violation;
    }
  }

  fail(message: string): void {
    this.#first ??= new Violation(message);
  }

  throwFirst(): void {
    if (this.#first !== undefined) throw this.#first;
  }
}
