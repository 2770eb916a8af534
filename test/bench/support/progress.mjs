/** Shows what is going on: on a terminal in one line that is overwritten, elsewhere in a line per figure. */
export class Progress {
  #stream;
  #prefix = '';

  /** @param {NodeJS.WriteStream} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  begin(prefix) {
    this.#prefix = prefix;
    if (this.#stream.isTTY) this.update('starting');
  }

  update(text) {
    if (!this.#stream.isTTY) return;
    this.#stream.write(`\r\u001B[2K${`${this.#prefix}: ${text}`.slice(0, this.#stream.columns - 1)}`);
  }

  end(text) {
    if (this.#stream.isTTY) this.#stream.write('\r\u001B[2K');
    this.#stream.write(`${this.#prefix}: ${text}\n`);
  }
}
