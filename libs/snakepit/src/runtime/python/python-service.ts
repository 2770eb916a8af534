import type { SessionInit } from '../../session/index.js';
import { PythonCalls } from './python-calls.js';
import { PythonHost, type PythonHostParts } from './python-host.js';

/**
 * Calls any library that a pool's workers allow, without a worker of one's own: `python.call('statistics.median', [[1, 5, 2]])`.
 *
 * Calls without a session go to any worker. What is stored belongs to a session, whose calls all go to the worker that holds its objects.
 */
export class PythonService extends PythonCalls {
  /** @internal */
  constructor(parts: PythonHostParts) {
    super(new PythonHost(parts), undefined);
  }

  /** Calls in a session of which the id is known, created or not. */
  session(id: string): PythonSession {
    return new PythonSession(this.host, id);
  }

  /** Creates a session; the id defaults to a random UUID. @throws SnakepitError SESSION_EXISTS or SESSION_LIMIT. */
  async createSession(init: SessionInit & { readonly id?: string } = {}): Promise<PythonSession> {
    const { id, ...rest } = init;
    return this.session((await this.host.sessions.create(id, rest)).id);
  }
}

/** Calls in one session, which see what it has stored. */
export class PythonSession extends PythonCalls {
  /** @internal */
  constructor(
    host: PythonHost,
    readonly id: string,
  ) {
    super(host, id);
  }

  /** Ends the session; its worker lets go of its objects. */
  async close(): Promise<void> {
    await this.host.sessions.delete(this.id);
  }
}
