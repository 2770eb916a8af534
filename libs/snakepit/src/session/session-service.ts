import { randomUUID } from 'node:crypto';

import {
  type Clock,
  describeValue,
  isPlainObject,
  type LogSink,
  silentLog,
  SnakepitError,
  systemClock,
} from '../core/index.js';
import { bytesOf, type DataMap, dataMap, snapshot, type SnapshotLimits, withKey, withoutKey } from './data-map.js';
import { MemorySessionStore } from './memory-store.js';
import { MAX_TTL_MS, MIN_TTL_MS, type SessionOptions } from './options.js';
import type { Session, SessionChange } from './session.js';
import type { ReadOutcome, SessionStore, WriteOutcome } from './store.js';
import { WorkerAffinity } from './worker-affinity.js';

const MAX_ID_LENGTH = 256;

/** What a session may be created with. */
export interface SessionInit {
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly programs?: Readonly<Record<string, unknown>> | undefined;
  /** Milliseconds without access after which the session expires; the option `ttlMs` when left out. */
  readonly ttlMs?: number | undefined;
}

export interface SessionStats {
  /** What this service did or saw since it was made. */
  readonly created: number;
  readonly deleted: number;
  readonly expired: number;
  readonly cleanupRuns: number;
  readonly globalsStored: number;
  readonly globalsDeleted: number;
  readonly globalsExpired: number;
  /** What the store holds now. */
  readonly sessions: number;
  readonly globals: number;
  /** Estimated bytes of the stored data; undefined when the store cannot tell. */
  readonly memoryBytes: number | undefined;
}

export interface SessionServiceContext {
  readonly clock?: Clock;
  /** Hears of what went wrong where no caller waits. */
  readonly log?: LogSink;
}

type Decide = (session: Session) => SessionChange | undefined;
type ClosedListener = (id: string) => void;

/**
 * Sessions and global programs: data that outlives calls and workers, and the worker that served each session last.
 *
 * Ids are strings of 1 to 256 characters. Values are what the wire can carry; they are copied when stored and frozen, so a
 * session that was read is a picture of that moment. Reading or changing a session, and every call in it, prolongs it.
 *
 * Every asynchronous method rejects with SnakepitError: INVALID_ARGUMENTS for a bad id or value, MISUSE after `close()`.
 */
export class SessionService {
  readonly #backend: SessionStore;
  readonly #ownsBackend: boolean;
  readonly #affinity: WorkerAffinity;
  readonly #closedListeners = new Set<ClosedListener>();
  readonly #unlisten: () => void;
  readonly #log: LogSink;
  readonly #counts = {
    created: 0,
    deleted: 0,
    expired: 0,
    cleanupRuns: 0,
    globalsStored: 0,
    globalsDeleted: 0,
    globalsExpired: 0,
  };
  #isClosed = false;

  constructor(
    private readonly options: SessionOptions,
    { clock = systemClock, log = silentLog }: SessionServiceContext = {},
  ) {
    this.#log = log;
    this.#ownsBackend = options.store === undefined;
    this.#backend = options.store ?? new MemorySessionStore(options, clock);
    this.#affinity = new WorkerAffinity({
      capacity: options.maxSessions,
      clock,
      write: (id, workerId) => this.#writeWorker(id, workerId),
    });
    this.#unlisten = this.#backend.listen({
      sessionExpired: (id) => {
        this.#counts.expired += 1;
        this.#affinity.forget(id);
        this.#tellClosed(id);
      },
      globalExpired: () => void (this.#counts.globalsExpired += 1),
      swept: () => void (this.#counts.cleanupRuns += 1),
    });
  }

  // --- sessions ----------------------------------------------------------------------------------

  /**
   * Creates a session; the id defaults to a random UUID.
   * @example await sessions.create({ metadata: { plan: 'free' }, ttlMs: 600_000 });
   * @throws SnakepitError SESSION_EXISTS or SESSION_LIMIT.
   */
  create(init?: SessionInit): Promise<Session>;
  /** The same with an id of your own. */
  create(id?: string, init?: SessionInit): Promise<Session>;
  async create(idOrInit?: string | SessionInit, initBesideId: SessionInit = {}): Promise<Session> {
    const [id = randomUUID(), init] = isInit(idOrInit) ? [undefined, idOrInit] : [idOrInit, initBesideId];
    const command = 'session.create';
    checkSessionId(id, command);
    const { ttlMs = this.options.ttlMs } = init;
    const metadata = dataMap(init.metadata ?? {}, this.#limits('metadata', command));
    const programs = dataMap(init.programs ?? {}, this.#limits('programs', command));
    checkTtl(ttlMs, command);
    this.#checkSize(metadata, programs, command);
    const lastWorkerId = this.#affinity.lastWorkerOf(id);
    const session = await this.#store.create({ id, metadata, programs, ttlMs, lastWorkerId });
    this.#counts.created += 1;
    return session;
  }

  /** @throws SnakepitError SESSION_NOT_FOUND. */
  async get(id: string): Promise<Session> {
    return (await this.find(id)) ?? missing(id);
  }

  /** The session, or undefined when there is none (any more). */
  async find(id: string): Promise<Session | undefined> {
    checkSessionId(id, 'session.get');
    const unwritten = this.#affinity.takeUnwritten(id);
    if (unwritten === undefined) return this.#store.get(id);
    return this.#store.update(id, () => ({ lastWorkerId: unwritten }));
  }

  /**
   * Changes a session atomically: what `decide` is shown is what its answer is applied to. It is pure and synchronous, may
   * run again, and returns the members to change (`programs`, `metadata`, `ttlMs`) or undefined to change nothing.
   *
   * @example await sessions.update(id, (s) => ({ metadata: { ...s.metadata, turns: Number(s.metadata['turns'] ?? 0) + 1 } }));
   * @throws SnakepitError SESSION_NOT_FOUND, or what `decide` throws; nothing is stored then.
   */
  async update(id: string, decide: Decide): Promise<Session> {
    return (await this.#tryUpdate(id, decide)) ?? missing(id);
  }

  /** {@link SessionService.update} that creates the session with the defaults when there is none. */
  async upsert(id: string, decide: Decide): Promise<Session> {
    for (;;) {
      const session = await this.#tryUpdate(id, decide);
      if (session !== undefined) return session;
      await this.#createUnlessExists(id);
    }
  }

  /** Deletes a session and drops its affinity; false when there was none. */
  async delete(id: string): Promise<boolean> {
    checkSessionId(id, 'session.delete');
    const existed = await this.#store.delete(id);
    // Calls may have used a session that was never created; their workers may hold something for it.
    const wasUsed = this.#affinity.forget(id);
    if (existed) this.#counts.deleted += 1;
    if (existed || wasUsed) this.#tellClosed(id);
    return existed;
  }

  /** Whether the session exists; does not prolong it. */
  async exists(id: string): Promise<boolean> {
    checkSessionId(id, 'session.exists');
    return this.#store.has(id);
  }

  /** Ids of all sessions. */
  async list(): Promise<readonly string[]> {
    return this.#store.list();
  }

  /**
   * Prolongs a session.
   * @throws SnakepitError SESSION_NOT_FOUND.
   */
  async touch(id: string): Promise<void> {
    await this.get(id);
  }

  /** Frees what has expired now; returns how many sessions. */
  async cleanupExpired(): Promise<number> {
    return this.#store.deleteExpired();
  }

  async stats(): Promise<SessionStats> {
    const size = await this.#store.size();
    return { ...this.#counts, ...size };
  }

  // --- programs of a session ---------------------------------------------------------------------

  /** @throws SnakepitError SESSION_NOT_FOUND. */
  async storeProgram(id: string, name: string, program: unknown): Promise<void> {
    const value = this.#snapshot(program, 'program', 'session.storeProgram');
    await this.update(id, ({ programs }) => ({ programs: withKey(programs, name, value) }));
  }

  /**
   * The program, or undefined when the session has none of that name.
   * @throws SnakepitError SESSION_NOT_FOUND.
   */
  async getProgram(id: string, name: string): Promise<unknown> {
    return (await this.get(id)).programs[name];
  }

  /**
   * Replaces a program by what `change` makes of it (of undefined when there is none), atomically; `change` is pure and may run
   * again. Returns the new program.
   * @throws SnakepitError SESSION_NOT_FOUND.
   */
  async updateProgram(id: string, name: string, change: (program: unknown) => unknown): Promise<unknown> {
    const session = await this.update(id, ({ programs }) => {
      const value = this.#snapshot(change(programs[name]), 'program', 'session.updateProgram');
      return { programs: withKey(programs, name, value) };
    });
    return session.programs[name];
  }

  /**
   * Deletes a program; false when the session has none of that name.
   * @throws SnakepitError SESSION_NOT_FOUND.
   */
  async deleteProgram(id: string, name: string): Promise<boolean> {
    let existed = false;
    await this.update(id, ({ programs }) => {
      existed = Object.hasOwn(programs, name);
      return { programs: withoutKey(programs, name) };
    });
    return existed;
  }

  /** @throws SnakepitError SESSION_NOT_FOUND. */
  async listPrograms(id: string): Promise<readonly string[]> {
    return Object.keys((await this.get(id)).programs);
  }

  // --- global programs ---------------------------------------------------------------------------

  /** Stores a program for all sessions; it expires `globalTtlMs` after it was last stored. */
  async storeGlobalProgram(name: string, program: unknown): Promise<void> {
    await this.writeGlobal(name, program);
  }

  /** The program, or undefined when there is none of that name. */
  async getGlobalProgram(name: string): Promise<unknown> {
    const { found, value } = await this.readGlobal(name);
    return found ? value : undefined;
  }

  /** Deletes a program; false when there was none of that name. */
  async deleteGlobalProgram(name: string): Promise<boolean> {
    return (await this.deleteGlobal(name)).written;
  }

  async listGlobalPrograms(): Promise<readonly string[]> {
    return this.#store.listGlobals();
  }

  /** A global program with the revision that all global programs share. */
  async readGlobal(name: string): Promise<ReadOutcome> {
    return this.#store.readGlobal(name);
  }

  /** Stores a global program, unless `revision` is given and is not the current one. */
  async writeGlobal(name: string, program: unknown, revision?: number): Promise<WriteOutcome> {
    const value = this.#snapshot(program, 'program', 'session.storeGlobalProgram');
    const outcome = await this.#store.writeGlobal(name, value, { ttlMs: this.options.globalTtlMs, revision });
    if (outcome.written) this.#counts.globalsStored += 1;
    return outcome;
  }

  /** Deletes a global program, under the same condition. */
  async deleteGlobal(name: string, revision?: number): Promise<WriteOutcome> {
    const outcome = await this.#store.deleteGlobal(name, revision);
    if (outcome.written) this.#counts.globalsDeleted += 1;
    return outcome;
  }

  // --- workers -----------------------------------------------------------------------------------

  /** The worker that served the session last, as far as this process knows; for the path of a call. */
  lastWorkerOf(id: string): string | undefined {
    return this.#affinity.lastWorkerOf(id);
  }

  /**
   * Notes that a worker serves a call of the session, created or not. The store hears of it a little later, which also
   * prolongs the session; nothing waits for that.
   */
  rememberWorker(id: string, workerId: string): void {
    if (!this.#isClosed) this.#affinity.remember(id, workerId);
  }

  /** The worker that served the session last, be it before a restart or in another process that shares the store. */
  async lastWorker(id: string): Promise<string | undefined> {
    return this.#affinity.lastWorkerOf(id) ?? (await this.find(id))?.lastWorkerId;
  }

  /**
   * Sets the worker of a session and waits until it is stored.
   * @throws SnakepitError SESSION_NOT_FOUND.
   */
  async setLastWorker(id: string, workerId: string): Promise<void> {
    checkSessionId(id, 'session.setLastWorker');
    if ((await this.#store.update(id, () => ({ lastWorkerId: workerId }))) === undefined) missing(id);
    this.#affinity.takeUnwritten(id);
    this.#affinity.adopt(id, workerId);
  }

  /** Ids of the sessions that the worker served last, as far as this process remembers. */
  sessionsOfWorker(workerId: string): readonly string[] {
    return this.#affinity.sessionsOf(workerId);
  }

  // --- life --------------------------------------------------------------------------------------

  /** Calls `listener` with the id of each session that was deleted or has expired; returns the function that stops it. */
  onClosed(listener: ClosedListener): () => void {
    this.#closedListeners.add(listener);
    return () => void this.#closedListeners.delete(listener);
  }

  /** Writes what is unwritten and retires timers; a store that the options gave stays open. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#affinity.close();
    this.#unlisten();
    this.#closedListeners.clear();
    if (this.#ownsBackend) await this.#backend.close();
  }

  get #store(): SessionStore {
    if (!this.#isClosed) return this.#backend;
    throw new SnakepitError('MISUSE', { reason: 'SessionService was used after close(); use it while the app runs.' });
  }

  async #tryUpdate(id: string, decide: Decide): Promise<Session | undefined> {
    checkSessionId(id, 'session.update');
    return this.#store.update(id, (session) => this.#checkChange(session, decide(session)));
  }

  async #createUnlessExists(id: string): Promise<void> {
    try {
      await this.create(id);
    } catch (error) {
      if (!(error instanceof SnakepitError) || error.code !== 'SESSION_EXISTS') throw error;
    }
  }

  /** Checks and freezes what an update returned; members that it left as they were need no look. */
  #checkChange(session: Session, change: SessionChange | undefined): SessionChange | undefined {
    const command = 'session.update';
    if (change === undefined) return undefined;
    if (typeof change !== 'object' || change === null || 'then' in change) {
      const reason = `the update returned ${describeValue(change)}; allowed is an object of changes or undefined.`;
      throw new SnakepitError('INVALID_ARGUMENTS', { command, reason });
    }
    const { ttlMs = session.ttlMs } = change;
    const metadata = this.#checkMap(change.metadata, session.metadata, 'metadata');
    const programs = this.#checkMap(change.programs, session.programs, 'programs');
    checkTtl(ttlMs, command);
    this.#checkSize(metadata, programs, command);
    return { metadata, programs, ttlMs };
  }

  #checkMap(given: DataMap | undefined, current: DataMap, path: string): DataMap {
    return given === undefined || given === current ? current : dataMap(given, this.#limits(path, 'session.update'));
  }

  #checkSize(metadata: DataMap, programs: DataMap, command: string): void {
    const { maxSessionBytes } = this.options;
    const bytes = bytesOf(metadata) + bytesOf(programs);
    if (bytes <= maxSessionBytes) return;
    const reason = `the session would hold ${bytes} bytes; store less or raise 'maxSessionBytes' (${maxSessionBytes}).`;
    throw new SnakepitError('INVALID_ARGUMENTS', { command, reason, bytes, maxSessionBytes });
  }

  #snapshot(value: unknown, path: string, command: string): unknown {
    return snapshot(value, this.#limits(path, command));
  }

  #limits(path: string, command: string): SnapshotLimits {
    return { path, command, maxValueBytes: this.options.maxValueBytes };
  }

  async #writeWorker(id: string, workerId: string): Promise<void> {
    try {
      await this.#backend.update(id, () => ({ lastWorkerId: workerId }));
    } catch (error) {
      this.#warn(`The worker of session '${id}' could not be stored`, error);
    }
  }

  #tellClosed(id: string): void {
    for (const listener of this.#closedListeners) {
      try {
        listener(id);
      } catch (error) {
        this.#warn(`A listener to the end of session '${id}' failed`, error);
      }
    }
  }

  #warn(what: string, error: unknown): void {
    this.#log({ level: 'warn', message: `${what}: ${error instanceof Error ? error.message : String(error)}` });
  }
}

function isInit(given: string | SessionInit | undefined): given is SessionInit {
  return isPlainObject(given);
}

/** @throws SnakepitError INVALID_ARGUMENTS unless `id` is a string of 1 to 256 characters. */
export function checkSessionId(id: unknown, command: string): asserts id is string {
  if (typeof id === 'string' && id.length > 0 && id.length <= MAX_ID_LENGTH) return;
  const reason = `the session id is ${describeValue(id)}; allowed is a string of 1 to ${MAX_ID_LENGTH} characters.`;
  throw new SnakepitError('INVALID_ARGUMENTS', { command, path: 'id', reason });
}

function checkTtl(ttlMs: unknown, command: string): void {
  if (Number.isInteger(ttlMs) && (ttlMs as number) >= MIN_TTL_MS && (ttlMs as number) <= MAX_TTL_MS) return;
  const reason = `'ttlMs' is ${describeValue(ttlMs)}; allowed is an integer from ${MIN_TTL_MS} to ${MAX_TTL_MS} (ms).`;
  throw new SnakepitError('INVALID_ARGUMENTS', { command, path: 'ttlMs', reason });
}

function missing(id: string): never {
  throw new SnakepitError('SESSION_NOT_FOUND', { session: id });
}
