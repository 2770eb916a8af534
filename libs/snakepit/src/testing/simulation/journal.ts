/** What the scripted workers did, to be held against what callers were told. */
export class Journal {
  readonly #begun = new Map<number, number>();
  readonly #finished = new Set<number>();
  readonly #errors = new Map<number, string[]>();
  readonly #broken = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #deaths = new Map<string, number>();

  begin(call: number): void {
    this.#begun.set(call, this.timesBegun(call) + 1);
  }

  finish(call: number): void {
    this.#finished.add(call);
  }

  /** A worker has answered a call with an error of this code. */
  fail(call: number, code: string): void {
    this.#errors.set(call, [...this.errorsOf(call), code]);
  }

  /** A worker has sent what no worker may send. */
  breakProtocol(worker: string): void {
    this.#broken.add(worker);
  }

  end(worker: string): void {
    this.#ended.add(worker);
  }

  /** A worker has ended with calls of this command in its hands. */
  dieOf(command: string): void {
    this.#deaths.set(command, this.deathsOf(command) + 1);
  }

  timesBegun(call: number): number {
    return this.#begun.get(call) ?? 0;
  }

  hasFinished(call: number): boolean {
    return this.#finished.has(call);
  }

  errorsOf(call: number): readonly string[] {
    return this.#errors.get(call) ?? [];
  }

  hasBroken(worker: string): boolean {
    return this.#broken.has(worker);
  }

  hasEnded(worker: string): boolean {
    return this.#ended.has(worker);
  }

  deathsOf(command: string): number {
    return this.#deaths.get(command) ?? 0;
  }
}
