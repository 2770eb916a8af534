import { BaseRpcContext } from '@nestjs/microservices';

import type { EventCall } from '../runtime/index.js';

/** What a handler is told of the worker that sent the message or the event. */
export interface SnakepitContextFacts {
  /** The pattern, as the worker wrote it. */
  readonly pattern: unknown;
  readonly pool: string;
  /** Such as `reports-2`; undefined where it is gone. */
  readonly worker: string | undefined;
  /** The call whose command sent it; undefined for an event whose call is over. */
  readonly call: EventCall | undefined;
  /** Aborts when nobody waits for the answer any more; undefined for events, which nobody waits for. */
  readonly signal: AbortSignal | undefined;
}

const NO_CONTEXT: Readonly<Record<string, string>> = Object.freeze({});

/** Injected by `@Ctx()` into the handlers of messages and events that workers send. */
export class SnakepitContext extends BaseRpcContext<[SnakepitContextFacts]> {
  /** @internal */
  constructor(facts: SnakepitContextFacts) {
    super([facts]);
  }

  /** The pattern, as the worker wrote it: a string, a number or a map. */
  getPattern(): unknown {
    return this.args[0].pattern;
  }

  /** The pool whose worker sent it. */
  getPool(): string {
    return this.args[0].pool;
  }

  /** The worker that sent it, such as `reports-2`; undefined where it is gone. */
  getWorker(): string | undefined {
    return this.args[0].worker;
  }

  /** The command that sent it; undefined for an event whose call is over, or that no command sent. */
  getCommand(): string | undefined {
    return this.args[0].call?.command;
  }

  /** The session of the command's call. */
  getSession(): string | undefined {
    return this.args[0].call?.session;
  }

  /** W3C trace context that the command's caller sent along. */
  getTrace(): EventCall['trace'] {
    return this.args[0].call?.trace;
  }

  /** Context values that the command's caller sent along. */
  getContext(): Readonly<Record<string, string>> {
    return this.args[0].call?.context ?? NO_CONTEXT;
  }

  /** Aborts when nobody waits for the answer any more: the caller left, time is up, the worker died. Undefined for events. */
  getSignal(): AbortSignal | undefined {
    return this.args[0].signal;
  }
}
