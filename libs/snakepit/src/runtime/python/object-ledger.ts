/** Which objects sessions have stored in their workers, as far as this process knows: what an object that is missing there was lost with. */
export class ObjectLedger {
  readonly #names = new Map<string, Set<string>>();

  noteStored(session: string, name: string): void {
    const names = this.#names.get(session);
    if (names === undefined) this.#names.set(session, new Set([name]));
    else names.add(name);
  }

  noteDeleted(session: string, name: string): void {
    this.#names.get(session)?.delete(name);
  }

  has(session: string, name: string): boolean {
    return this.#names.get(session)?.has(name) ?? false;
  }

  forget(session: string): void {
    this.#names.delete(session);
  }
}
