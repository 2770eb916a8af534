import { SnakepitError } from '../core/index.js';
import type { HostCallHandler, HostRequest } from '../pool/index.js';

interface Answerer {
  readonly answer: HostCallHandler;
  readonly isOwn: boolean;
}

/** Runs an answerer; `isOwn` for one that is the library's and makes no calls. */
export type Around = (request: HostRequest, isOwn: boolean, body: () => Promise<unknown>) => Promise<unknown>;

/**
 * Answers what workers ask of their host: the first part of a method's name, up to the dot, says who does.
 *
 * @internal
 */
export class HostMethods {
  readonly #answerers = new Map<string, Answerer>();

  constructor(private readonly around: Around = (_, __, body) => body()) {}

  /**
   * `session` answers `session.read` and all others that begin with `session.`; a room has one answerer.
   *
   * @param isOwn whether the answerer is the library's and runs no code that calls a pool
   */
  register(room: string, answer: HostCallHandler, { isOwn = false }: { readonly isOwn?: boolean } = {}): void {
    if (this.#answerers.has(room)) throw new Error(`host calls '${room}.…' are answered already`);
    this.#answerers.set(room, { answer, isOwn });
  }

  /** @throws SnakepitError UNKNOWN_COMMAND for a method that nobody answers, and whatever the answerer throws */
  async answer(request: HostRequest): Promise<unknown> {
    const { method } = request;
    const found = this.#answerers.get(method.slice(0, Math.max(0, method.indexOf('.'))));
    if (found !== undefined) return this.around(request, found.isOwn, () => found.answer(request));
    const known = [...this.#answerers.keys()].map((room) => `${room}.…`).join(', ');
    throw new SnakepitError('UNKNOWN_COMMAND', { command: method, known });
  }
}
