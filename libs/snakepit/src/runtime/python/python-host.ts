import { isPlainObject, isSnakepitError, SnakepitError } from '../../core/index.js';
import type { SessionService } from '../../session/index.js';
import type { PoolService } from '../pool-service.js';
import type { ObjectLedger } from './object-ledger.js';
import type { PythonCallOptions } from './python.types.js';
import { decodeResult } from './wire.js';
import { StoredObject, type StoredDescription } from './values.js';

/** What a pool's library commands need of their surroundings. */
export interface PythonHostParts {
  readonly pool: PoolService;
  readonly sessions: SessionService;
  readonly ledger: ObjectLedger;
  /** Whether a session's calls may go to another worker than the one that holds its objects. */
  readonly hasStrictAffinity: boolean;
}

/** What a command answers: a value, or what it has stored. */
interface Answer {
  readonly value?: unknown;
  readonly stored?: StoredDescription | readonly StoredDescription[];
}

/** Runs the library commands of a pool's workers, and makes the errors of a caller's of those of a worker. */
export class PythonHost {
  readonly sessions: SessionService;
  readonly #parts: PythonHostParts;

  constructor(parts: PythonHostParts) {
    this.#parts = parts;
    this.sessions = parts.sessions;
  }

  /**
   * Runs a command and returns what it answers, as it came.
   *
   * @throws SnakepitError MISUSE where the pool's workers have no such commands, or its sessions no strict affinity
   */
  async run(command: string, args: Record<string, unknown>, options: PythonCallOptions): Promise<unknown> {
    const { pool, hasStrictAffinity } = this.#parts;
    if (options.session !== undefined && !hasStrictAffinity) {
      throw new SnakepitError('MISUSE', {
        reason: `Stored objects stay in one worker, and the calls of a session in pool '${pool.name}' may go to any: give it affinity 'strict-queue' or 'strict-fail-fast'.`,
      });
    }
    try {
      return await pool.execute(`python.${command}`, args, options);
    } catch (error) {
      throw this.#explained(error, options.session);
    }
  }

  /** The same for commands that answer with a value or what was stored; that is remembered. */
  async answer(command: string, args: Record<string, unknown>, options: PythonCallOptions): Promise<unknown> {
    const { value, stored } = (await this.run(command, args, options)) as Answer;
    if (stored === undefined) return decodeResult(value);
    return this.noteStored(stored as StoredDescription, options.session);
  }

  noteStored(told: StoredDescription, session: string | undefined): StoredObject {
    if (session !== undefined) this.#parts.ledger.noteStored(session, told.name);
    return new StoredObject(told);
  }

  noteDeleted(name: string, session: string | undefined): void {
    if (session !== undefined) this.#parts.ledger.noteDeleted(session, name);
  }

  #explained(error: unknown, session: string | undefined): unknown {
    if (isSnakepitError(error, 'UNKNOWN_COMMAND')) return this.#notServed(error);
    if (!isSnakepitError(error) || session === undefined) return error;
    const name = missingObject(error.remote?.data);
    if (name === undefined || !this.#parts.ledger.has(session, name)) return error;
    const { delivery, remote } = error;
    const reason = `gone, and the stored object '${name}' was lost with it; store it again`;
    return new SnakepitError(
      'SESSION_WORKER_UNAVAILABLE',
      { session, reason, name },
      { cause: error, delivery, ...(remote && { remote }) },
    );
  }

  #notServed(cause: SnakepitError): SnakepitError {
    const reason = `Pool '${this.#parts.pool.name}' has no workers that call libraries; start them by python({ enhanced: { allow: ['math'] } }), or let their module define Enhanced(allow=["math"]).`;
    return new SnakepitError('MISUSE', { reason }, { cause });
  }
}

/** The stored object that a worker did not find, also within a pipeline's step. */
function missingObject(data: unknown): string | undefined {
  if (!isPlainObject(data)) return undefined;
  const { reason, name } = data;
  if (reason === 'step-failed') return missingObject(data['data']);
  const isMissing = reason === 'unknown-object' || reason === 'not-allowed';
  return isMissing && typeof name === 'string' ? name : undefined;
}
