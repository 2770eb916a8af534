const LINE_EVERY_MS = 30_000;

/** Shows what is going on: on a terminal in one line that is overwritten, elsewhere in a line every half a minute, and one at the end. */
export class Progress {
  #stream;
  #prefix = '';
  #toldAt = 0;

  /** @param {NodeJS.WriteStream} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  begin(prefix) {
    this.#prefix = prefix;
    this.#toldAt = performance.now();
    if (this.#stream.isTTY) this.update('starting');
  }

  update(text) {
    const line = `${this.#prefix}: ${text}`;
    if (this.#stream.isTTY) return this.#stream.write(`\r\u001B[2K${line.slice(0, this.#stream.columns - 1)}`);
    const now = performance.now();
    if (now - this.#toldAt < LINE_EVERY_MS) return;
    this.#toldAt = now;
    this.#stream.write(`${line}\n`);
  }

  end(text) {
    if (this.#stream.isTTY) this.#stream.write('\r\u001B[2K');
    this.#stream.write(`${this.#prefix}: ${text}\n`);
  }
}
