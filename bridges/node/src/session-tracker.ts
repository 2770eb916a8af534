import type { Session } from './context.js';
import { processHooks, type Hooks } from './definition.js';

/** Runs the session hooks: once before a session's first call here, once when the session is over. */
export class SessionTracker {
  readonly #open = new Map<string, Promise<void> | undefined>();
  readonly #hooks: Hooks;

  constructor(hooks: Hooks = processHooks()) {
    this.#hooks = hooks;
  }

  /** What the call must wait for, if anything. */
  enter(session: Session): Promise<void> | undefined {
    const { id } = session;
    if (id === undefined) return undefined;
    if (this.#open.has(id)) return this.#open.get(id);
    const opening = this.#hooks.sessionOpen.length > 0 ? this.#runOpenHooks(id, session) : undefined;
    this.#open.set(id, opening);
    return opening;
  }

  close(id: string): void {
    if (this.#open.delete(id)) void this.#runCloseHooks(id);
  }

  closeAll(): void {
    for (const id of this.#open.keys()) this.close(id);
  }

  async #runOpenHooks(id: string, session: Session): Promise<void> {
    try {
      for (const hook of this.#hooks.sessionOpen) await hook(session);
      if (this.#open.has(id)) this.#open.set(id, undefined);
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  async #runCloseHooks(id: string): Promise<void> {
    for (const hook of this.#hooks.sessionClose) {
      try {
        await hook(id);
      } catch (error) {
        console.error(`A hook for the end of session '${id}' failed:`, error);
      }
    }
  }
}
