import { PoolCall, type PoolCallOwner } from '../pool-call.js';
import type { BatchLine } from './batch-line.js';
import { batchMeta } from './batch-meta.js';
import type { BatchedCall, Carrier } from './batched-call.js';
import { Crew } from './crew.js';
import type { Gathering } from './gathering.js';

/** One call or more. */
export type Calls = readonly [BatchedCall, ...BatchedCall[]];

export interface BatchParts {
  readonly pool: string;
  readonly owner: PoolCallOwner;
  readonly calls: Calls;
  readonly nowMs: number;
}

/**
 * Several calls as one, from when a worker gets them until it is through. To the pool it is a call as any other, whose
 * deadline is the latest of theirs; its outcome goes to those of its crew that have not left.
 */
export class Batch extends PoolCall implements Carrier {
  readonly crew: Crew;
  readonly size: number;
  readonly line: BatchLine;
  /** Where its calls came from. */
  readonly origin: Gathering;

  constructor({ pool, owner, calls, nowMs }: BatchParts) {
    const [first] = calls;
    const crew = new Crew(pool, calls);
    super({
      owner,
      command: first.command,
      args: calls.map(({ args }) => args),
      settings: {
        priority: first.priority,
        session: first.session,
        // A batch is not tried again: its calls are, each by its own right.
        isIdempotent: false,
        meta: batchMeta(calls.map(({ meta }) => meta)),
        signal: undefined,
        input: undefined,
        validate: undefined,
        // Each of its calls is watched by itself.
        watcher: undefined,
        // A call made inside a tool is in a batch of its own, and is known by itself.
        nesting: undefined,
        onProgress: crew.progressListener,
      },
      profile: first.profile,
      admittedAt: nowMs,
      timeoutMs: Math.max(...calls.map(({ deadline }) => deadline)) - nowMs,
      listener: crew,
    });
    this.crew = crew;
    this.size = calls.length;
    this.line = first.line;
    this.origin = first.gathering;
  }

  override get callers(): number {
    return this.size;
  }

  leave(): boolean {
    return this.crew.leave();
  }
}
