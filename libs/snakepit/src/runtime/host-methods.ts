import { SnakepitError } from '../core/index.js';
import type { HostCallHandler, HostRequest } from '../pool/index.js';

/**
 * Answers what workers ask of their host: the first part of a method's name, up to the dot, says who does.
 *
 * @internal
 */
export class HostMethods {
  readonly #answerers = new Map<string, HostCallHandler>();

  /** `session` answers `session.read` and all others that begin with `session.`; a room has one answerer. */
  register(room: string, answer: HostCallHandler): void {
    if (this.#answerers.has(room)) throw new Error(`host calls '${room}.…' are answered already`);
    this.#answerers.set(room, answer);
  }

  /** @throws SnakepitError UNKNOWN_COMMAND for a method that nobody answers, and whatever the answerer throws */
  async answer(request: HostRequest): Promise<unknown> {
    const { method } = request;
    const answer = this.#answerers.get(method.slice(0, Math.max(0, method.indexOf('.'))));
    if (answer !== undefined) return answer(request);
    const known = [...this.#answerers.keys()].map((room) => `${room}.…`).join(', ');
    throw new SnakepitError('UNKNOWN_COMMAND', { command: method, known });
  }
}
