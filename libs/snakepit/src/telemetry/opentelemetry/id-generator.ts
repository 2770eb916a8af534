/** What a TracerProvider takes as `idGenerator`. */
export interface IdGenerator {
  generateTraceId(): string;
  generateSpanId(): string;
}

/** The id of the span that is being started; starting one takes place at once. */
let wanted: string | undefined;

/** Starts a span whose id was chosen elsewhere. */
export function withSpanId<Result>(id: string, start: () => Result): Result {
  wanted = id;
  try {
    return start();
  } finally {
    wanted = undefined;
  }
}

/**
 * Lets the spans that workers have recorded keep their ids: give one to your TracerProvider as `idGenerator`. All other ids are random, or
 * those of the generator that you give it.
 */
export class SnakepitIdGenerator implements IdGenerator {
  readonly #others: IdGenerator;

  constructor(others: IdGenerator = RANDOM) {
    this.#others = others;
  }

  // As own members: providers may call them without their object.
  readonly generateTraceId = (): string => this.#others.generateTraceId();

  readonly generateSpanId = (): string => {
    if (wanted === undefined) return this.#others.generateSpanId();
    const id = wanted;
    wanted = undefined;
    return id;
  };
}

const RANDOM: IdGenerator = { generateTraceId: () => randomHex(4), generateSpanId: () => randomHex(2) };

/** As many times 8 digits, not all of them 0. */
function randomHex(words: number): string {
  let digits = '';
  for (let word = 0; word < words; word += 1) {
    digits += Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  }
  return /[1-9a-f]/.test(digits) ? digits : randomHex(words);
}
