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

/** Nothing came in time: what a bridge does that has stopped answering for good, and some that have not. */
export class Silence extends Mismatch {
  constructor(expected: string, waitedMs: number) {
    super(expected, `nothing within ${waitedMs / 1000} seconds`);
  }
}

/** @throws Mismatch unless `isSo` */
export function check(isSo: boolean, expected: string, got: () => string): asserts isSo {
  if (!isSo) throw new Mismatch(expected, got());
}
