const MAX_LINES = 20;

/** The last lines of an output, at most 20. */
export class LineTail {
  readonly #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}
