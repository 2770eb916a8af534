import { Backlog, type WaitingCall } from './backlog.js';

/**
 * Calls made inside tools that wait, by how many tools wait for them. The deepest come first: what one chain holds is free again soonest
 * when it is let through to its end before another one goes deeper.
 */
export class NestedBacklogs<Call extends WaitingCall> {
  readonly #byDepth: Backlog<Call>[] = [];

  get size(): number {
    return this.#byDepth.reduce((sum, backlog) => sum + backlog.size, 0);
  }

  at(depth: number): Backlog<Call> {
    while (this.#byDepth.length < depth) this.#byDepth.push(new Backlog());
    return this.#byDepth[depth - 1]!;
  }

  /** All of them, the shallowest first. */
  all(): readonly Backlog<Call>[] {
    return this.#byDepth;
  }

  calls(): Call[] {
    return this.#byDepth.flatMap((backlog) => backlog.calls());
  }

  /** As {@link Backlog.drainInto}, the deepest first. */
  drainInto(take: (call: Call) => boolean): void {
    for (const backlog of this.#byDepth.toReversed()) backlog.drainInto(take);
  }
}
