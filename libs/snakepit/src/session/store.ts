import type { NewSession, Session, StoredChange } from './session.js';

/** What a store tells of its own accord. */
export interface SessionStoreListener {
  /** A session was found to have expired and is gone; once for each, on whatever occasion it was found. */
  sessionExpired(id: string): void;
  /** The same for a global program. */
  globalExpired(name: string): void;
  /** A pass over everything that may have expired ended. */
  swept(): void;
}

/** What reading a key gave; `revision` is that of the map the key is in. */
export interface ReadOutcome {
  readonly found: boolean;
  /** Null when not found. */
  readonly value: unknown;
  readonly revision: number;
}

/** What writing or deleting a key did; `revision` is the current one afterwards. */
export interface WriteOutcome {
  /** False when the named revision was not the current one, or when a key to delete did not exist. */
  readonly written: boolean;
  readonly revision: number;
}

export interface GlobalWrite {
  /** Milliseconds from this write on after which the program expires. */
  readonly ttlMs: number;
  /** Refuses the write when it is not the current revision. */
  readonly revision?: number | undefined;
}

export interface StoreSize {
  readonly sessions: number;
  readonly globals: number;
  /** Estimated bytes of the stored data; undefined when the store cannot tell. */
  readonly memoryBytes: number | undefined;
}

/**
 * Where sessions and global programs are kept. Implement it to share sessions between hosts or to keep them over a
 * restart, then run `describeSessionStore` against the implementation: that suite is the contract.
 *
 * What holds for every store:
 * - It keeps and returns values as they were given (`null`, booleans, numbers, bigints, strings, Uint8Array, Date, lists, plain
 *   objects), under any key, `__proto__` included. Values it is given are frozen; records it returns are never changed.
 * - It sets the times and the revision of a session; {@link openSession} and {@link applyChange} compute them.
 * - Expired means gone: `get`, `has`, `update`, `list`, `count` and the global methods never show an expired entry, even
 *   before it was swept. A session expires `ttlMs` after its last access, a global program `ttlMs` after its last write.
 * - Every method may be called concurrently; each is atomic.
 * - A failure of the storage itself rejects with whatever error describes it best.
 */
export interface SessionStore {
  /**
   * Stores a new session.
   * @throws SnakepitError SESSION_EXISTS when the id is taken, SESSION_LIMIT when there is no room even without the expired.
   */
  create(start: NewSession): Promise<Session>;

  /** The session, with this access recorded in it; undefined when there is none. */
  get(id: string): Promise<Session | undefined>;

  /** Whether the session exists; not an access. */
  has(id: string): Promise<boolean>;

  /**
   * Changes a session atomically and records the access: no other change comes between what `decide` is shown and what is
   * stored. `decide` is pure and synchronous; a store that detects a conflict calls it again. It returns what to change, or
   * undefined to change nothing; what it throws rejects the update, and nothing is stored.
   *
   * @returns the session as stored; undefined when there is none.
   */
  update(id: string, decide: (session: Session) => StoredChange | undefined): Promise<Session | undefined>;

  /** Deletes a session; false when there was none. */
  delete(id: string): Promise<boolean>;

  /** Ids of all sessions, in no particular order. */
  list(): Promise<readonly string[]>;

  count(): Promise<number>;

  /** Removes what has expired, globals too; returns how many sessions. */
  deleteExpired(): Promise<number>;

  readGlobal(name: string): Promise<ReadOutcome>;

  /**
   * Stores a global program unless `revision` is given and is not the current one. All global programs share one revision, which
   * every write and every effective delete raises; expiry need not.
   * @throws SnakepitError SESSION_LIMIT when there is no room for another one.
   */
  writeGlobal(name: string, value: unknown, write: GlobalWrite): Promise<WriteOutcome>;

  /** Deletes a global program, under the same condition. */
  deleteGlobal(name: string, revision?: number): Promise<WriteOutcome>;

  /** Names of all global programs, in no particular order. */
  listGlobals(): Promise<readonly string[]>;

  size(): Promise<StoreSize>;

  /** Tells `listener` from now on; returns the function that stops it. */
  listen(listener: SessionStoreListener): () => void;

  /** Retires timers and connections. Called once, by whoever made the store, after its last use. */
  close(): Promise<void>;
}

const METHODS = [
  'create',
  'get',
  'has',
  'update',
  'delete',
  'list',
  'count',
  'deleteExpired',
  'readGlobal',
  'writeGlobal',
  'deleteGlobal',
  'listGlobals',
  'size',
  'listen',
  'close',
] as const satisfies readonly (keyof SessionStore)[];

export function isSessionStore(given: unknown): given is SessionStore {
  if (typeof given !== 'object' || given === null) return false;
  return METHODS.every((name) => typeof (given as Record<string, unknown>)[name] === 'function');
}
