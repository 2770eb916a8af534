import type { DataMap } from './data-map.js';

/**
 * One state of a session; every change makes a new record. Data of a conversation that spans calls, and the
 * worker they went to.
 */
export interface Session {
  readonly id: string;
  /** Programs by name: what an application has its workers run again and again within this session. */
  readonly programs: DataMap;
  /** Everything else that the application or its workers keep. */
  readonly metadata: DataMap;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  /** Milliseconds since the Unix epoch; the session expires `ttlMs` later. */
  readonly lastAccessedAt: number;
  /** The worker that served the session's last call. */
  readonly lastWorkerId: string | undefined;
  /** Milliseconds without access after which the session expires. */
  readonly ttlMs: number;
  /** Rises with every change of `programs`, `metadata` or `ttlMs`; starts at 0. */
  readonly revision: number;
}

/** What a session starts with. */
export type NewSession = Pick<Session, 'id' | 'programs' | 'metadata' | 'ttlMs' | 'lastWorkerId'>;

/** What an update may change: members left out stay, other members of a {@link Session} are ignored. */
export interface SessionChange {
  readonly programs?: DataMap | undefined;
  readonly metadata?: DataMap | undefined;
  readonly ttlMs?: number | undefined;
}

/** A {@link SessionChange} as stores see it. */
export interface StoredChange extends SessionChange {
  /** Bookkeeping of the host: setting it does not raise the revision. */
  readonly lastWorkerId?: string | undefined;
}

/** The first state of a session. */
export function openSession(start: NewSession, wallTimeMs: number): Session {
  const { id, programs, metadata, ttlMs, lastWorkerId } = start;
  return Object.freeze({
    id,
    programs,
    metadata,
    createdAt: wallTimeMs,
    lastAccessedAt: wallTimeMs,
    lastWorkerId,
    ttlMs,
    revision: 0,
  });
}

/** The state after an access at `wallTimeMs` that changed `change`; the revision rises only if something differs. */
export function applyChange(session: Session, change: StoredChange | undefined, wallTimeMs: number): Session {
  const programs = change?.programs ?? session.programs;
  const metadata = change?.metadata ?? session.metadata;
  const ttlMs = change?.ttlMs ?? session.ttlMs;
  const isSame = programs === session.programs && metadata === session.metadata && ttlMs === session.ttlMs;
  return Object.freeze({
    id: session.id,
    programs,
    metadata,
    createdAt: session.createdAt,
    lastAccessedAt: wallTimeMs,
    lastWorkerId: change?.lastWorkerId ?? session.lastWorkerId,
    ttlMs,
    revision: isSame ? session.revision : session.revision + 1,
  });
}
