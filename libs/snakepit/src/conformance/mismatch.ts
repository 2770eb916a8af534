/** A bridge did something else than the protocol says: what a failed case is made of. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';

  constructor(
    readonly expected: string,
    readonly got: string,
  ) {
    super(`expected ${expected}, got ${got}`);
  }
}

/** @throws Mismatch unless `isSo` */
export function check(isSo: boolean, expected: string, got: () => string): asserts isSo {
  if (!isSo) throw new Mismatch(expected, got());
}
