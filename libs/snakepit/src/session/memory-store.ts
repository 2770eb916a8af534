import { type Clock, SnakepitError, systemClock, type Timer } from '../core/index.js';
import { bytesOf, entryBytes } from './data-map.js';
import { ExpiringMap } from './expiring-map.js';
import { applyChange, type NewSession, openSession, type Session, type StoredChange } from './session.js';
import type { GlobalWrite, ReadOutcome, SessionStore, SessionStoreListener, StoreSize, WriteOutcome } from './store.js';

export interface MemorySessionStoreOptions {
  readonly maxSessions: number;
  readonly maxGlobals: number;
  /** Milliseconds between sweeps while anything is stored. */
  readonly cleanupIntervalMs: number;
}

/** Estimated bytes of a session's record apart from its id and its maps. */
const RECORD_BYTES = 128;

/**
 * Keeps sessions in this process: bounded, swept, gone with the process.
 *
 * Expiry follows the clock's `now()`, so that setting the host's wall clock neither ends nor prolongs a session.
 */
export class MemorySessionStore implements SessionStore {
  readonly #listeners = new Set<SessionStoreListener>();
  readonly #sessions: ExpiringMap<Session>;
  readonly #globals: ExpiringMap<{ readonly value: unknown }>;
  #globalsRevision = 0;
  #sweepTimer: Timer | undefined;

  constructor(
    private readonly options: MemorySessionStoreOptions,
    private readonly clock: Clock = systemClock,
  ) {
    this.#sessions = new ExpiringMap(options.maxSessions, clock, (id) => {
      this.#scheduleSweep();
      for (const listener of this.#listeners) listener.sessionExpired(id);
    });
    this.#globals = new ExpiringMap(options.maxGlobals, clock, (name) => {
      this.#scheduleSweep();
      for (const listener of this.#listeners) listener.globalExpired(name);
    });
  }

  async create(start: NewSession): Promise<Session> {
    if (this.#sessions.get(start.id) !== undefined) throw new SnakepitError('SESSION_EXISTS', { session: start.id });
    const session = openSession(start, this.clock.wallTime());
    if (!this.#put(session)) {
      const { maxSessions } = this.options;
      throw new SnakepitError('SESSION_LIMIT', { what: 'sessions', limit: maxSessions, option: 'maxSessions' });
    }
    return session;
  }

  async get(id: string): Promise<Session | undefined> {
    return this.#change(id, () => undefined);
  }

  async has(id: string): Promise<boolean> {
    return this.#sessions.get(id) !== undefined;
  }

  async update(id: string, decide: (session: Session) => StoredChange | undefined): Promise<Session | undefined> {
    return this.#change(id, decide);
  }

  async delete(id: string): Promise<boolean> {
    const existed = this.#sessions.delete(id);
    this.#scheduleSweep();
    return existed;
  }

  async list(): Promise<readonly string[]> {
    return this.#sessions.keys();
  }

  async count(): Promise<number> {
    this.#sessions.sweep();
    return this.#sessions.size;
  }

  async deleteExpired(): Promise<number> {
    return this.#sweep();
  }

  async readGlobal(name: string): Promise<ReadOutcome> {
    const held = this.#globals.get(name);
    return { found: held !== undefined, value: held?.value ?? null, revision: this.#globalsRevision };
  }

  async writeGlobal(name: string, value: unknown, { ttlMs, revision }: GlobalWrite): Promise<WriteOutcome> {
    if (!this.#isCurrent(revision)) return { written: false, revision: this.#globalsRevision };
    if (!this.#globals.set(name, { value }, { ttlMs, bytes: entryBytes(name, value) })) {
      const { maxGlobals } = this.options;
      throw new SnakepitError('SESSION_LIMIT', { what: 'global programs', limit: maxGlobals, option: 'maxGlobals' });
    }
    this.#scheduleSweep();
    this.#globalsRevision += 1;
    return { written: true, revision: this.#globalsRevision };
  }

  async deleteGlobal(name: string, revision?: number): Promise<WriteOutcome> {
    const written = this.#isCurrent(revision) && this.#globals.delete(name);
    this.#scheduleSweep();
    if (written) this.#globalsRevision += 1;
    return { written, revision: this.#globalsRevision };
  }

  async listGlobals(): Promise<readonly string[]> {
    return this.#globals.keys();
  }

  async size(): Promise<StoreSize> {
    this.#sessions.sweep();
    this.#globals.sweep();
    return {
      sessions: this.#sessions.size,
      globals: this.#globals.size,
      memoryBytes: this.#sessions.bytes + this.#globals.bytes,
    };
  }

  listen(listener: SessionStoreListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#sessions.clear();
    this.#globals.clear();
    this.#scheduleSweep();
  }

  /** Atomic because nothing here waits: no other call can run between the read and the write. */
  #change(id: string, decide: (session: Session) => StoredChange | undefined): Session | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    const changed = applyChange(session, decide(session), this.clock.wallTime());
    this.#put(changed);
    return changed;
  }

  #put(session: Session): boolean {
    const bytes = RECORD_BYTES + bytesOf(session.id) + bytesOf(session.metadata) + bytesOf(session.programs);
    const isStored = this.#sessions.set(session.id, session, { ttlMs: session.ttlMs, bytes });
    this.#scheduleSweep();
    return isStored;
  }

  #isCurrent(revision: number | undefined): boolean {
    return revision === undefined || revision === this.#globalsRevision;
  }

  #sweep(): number {
    const expired = this.#sessions.sweep();
    this.#globals.sweep();
    this.#scheduleSweep();
    for (const listener of this.#listeners) listener.swept();
    return expired;
  }

  /** The timer runs exactly while something is stored. */
  #scheduleSweep(): void {
    if (this.#sessions.size + this.#globals.size === 0) {
      this.#sweepTimer?.cancel();
      this.#sweepTimer = undefined;
      return;
    }
    this.#sweepTimer ??= this.clock.after(this.options.cleanupIntervalMs, () => {
      this.#sweepTimer = undefined;
      this.#sweep();
    });
  }
}
