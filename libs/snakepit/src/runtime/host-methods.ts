import { SnakepitError, toError } from '../core/index.js';
import type { HostCallHandler, HostRequest } from '../pool/index.js';

export interface AnswererTraits {
  /** Whether the answerer is the library's and runs no code that calls a pool; default: false. */
  readonly isOwn?: boolean;
  /** What a request is about by the host's own name for it, such as that of a tool; undefined where it has none. */
  readonly subjectOf?: (request: HostRequest) => string | undefined;
}

interface Answerer extends AnswererTraits {
  readonly answer: HostCallHandler;
}

/** Runs an answerer. */
export type Around = (request: HostRequest, traits: AnswererTraits, body: () => Promise<unknown>) => Promise<unknown>;

/**
 * Answers what workers ask of their host: the first part of a method's name, up to the dot, says who does.
 *
 * @internal
 */
export class HostMethods {
  readonly #answerers = new Map<string, Answerer>();

  constructor(private readonly around: Around = (_, __, body) => body()) {}

  /** `session` answers `session.read` and all others that begin with `session.`; a room has one answerer. */
  register(room: string, answer: HostCallHandler, traits: AnswererTraits = {}): void {
    if (this.#answerers.has(room)) throw new Error(`host calls '${room}.…' are answered already`);
    this.#answerers.set(room, { ...traits, answer });
  }

  /** Rejects with SnakepitError UNKNOWN_COMMAND for a method that nobody answers, and with whatever the answerer throws. */
  answer(request: HostRequest): Promise<unknown> {
    const { method } = request;
    const found = this.#answerers.get(method.slice(0, Math.max(0, method.indexOf('.'))));
    if (found === undefined) {
      const known = [...this.#answerers.keys()].map((room) => `${room}.…`).join(', ');
      return Promise.reject(new SnakepitError('UNKNOWN_COMMAND', { command: method, known }));
    }
    try {
      return this.around(request, found, () => found.answer(request));
    } catch (error) {
      return Promise.reject(toError(error));
    }
  }
}
