import type { Session } from 'nestjs-snakepit';

/** A session as the API shows it. */
export interface SessionView extends Omit<Session, 'createdAt' | 'lastAccessedAt' | 'lastWorkerId'> {
  /** ISO 8601. */
  readonly createdAt: string;
  readonly lastAccessedAt: string;
  readonly lastWorkerId: string | null;
}

export function viewOf(session: Session): SessionView {
  return {
    ...session,
    createdAt: new Date(session.createdAt).toISOString(),
    lastAccessedAt: new Date(session.lastAccessedAt).toISOString(),
    lastWorkerId: session.lastWorkerId ?? null,
  };
}
