import { channel as diagnosticsChannel, type Channel } from 'node:diagnostics_channel';

import type { ErrorCode } from './errors.js';

/** What is known of the call that an event of a worker belongs to. */
export interface EventCall {
  readonly command: string;
  readonly session: string | undefined;
  /** W3C trace context that the command's caller sent along. */
  readonly trace: { readonly traceparent: string; readonly tracestate?: string } | undefined;
  /** Context values that the command's caller sent along. */
  readonly context: Readonly<Record<string, string>> | undefined;
}

/** What is published on `node:diagnostics_channel`, by channel name. */
export interface EventPayloads {
  /** A worker changed its state. */
  'snakepit:worker': {
    /** Which `Snakepit` of this process it belongs to: its `instance`. */
    readonly instance: string;
    readonly pool: string;
    readonly worker: string;
    readonly pid: number | undefined;
    readonly from: string;
    readonly to: string;
    /** Why it died or drains. */
    readonly reason: string | undefined;
    /** Milliseconds from spawn to ready; present when `to` is `ready`. */
    readonly startMs: number | undefined;
  };
  /** A call ended. */
  'snakepit:call': {
    readonly pool: string;
    readonly worker: string | undefined;
    readonly command: string;
    readonly kind: 'call' | 'stream';
    readonly session: string | undefined;
    /** Milliseconds from `execute` to the outcome, and the part of it spent in the queue. */
    readonly durationMs: number;
    readonly queuedMs: number;
    /** How many calls the worker got at once with this one; undefined where the command is not batched. */
    readonly batchSize: number | undefined;
    /** Undefined when the call succeeded. */
    readonly error: ErrorCode | undefined;
  };
  /** A pool with `autoscale` has changed its size. */
  'snakepit:scale': {
    readonly pool: string;
    readonly from: number;
    readonly to: number;
    /** Calls waited too long, workers were too busy, or fewer have been enough for a while. */
    readonly reason: 'wait' | 'utilization' | 'idle';
    /** Calls that waited, and for how long the first of them. */
    readonly queued: number;
    readonly oldestWaitMs: number;
  };
  /** A worker sent an event of its own. */
  'snakepit:worker-event': {
    /** Which `Snakepit` of this process the worker belongs to: its `instance`. */
    readonly instance: string;
    readonly pool: string;
    readonly worker: string;
    readonly name: string;
    readonly data: unknown;
    /** The call whose command sent it; undefined where that is over, or none did. */
    readonly call: EventCall | undefined;
  };
}

export type EventName = keyof EventPayloads;

const channels = {
  'snakepit:worker': diagnosticsChannel('snakepit:worker'),
  'snakepit:call': diagnosticsChannel('snakepit:call'),
  'snakepit:scale': diagnosticsChannel('snakepit:scale'),
  'snakepit:worker-event': diagnosticsChannel('snakepit:worker-event'),
} satisfies Record<EventName, Channel>;

/** Whether anybody listens; ask before building a payload on a hot path. */
export function hasListeners(name: EventName): boolean {
  return channels[name].hasSubscribers;
}

export function publish<Name extends EventName>(name: Name, payload: EventPayloads[Name]): void {
  if (channels[name].hasSubscribers) channels[name].publish(payload);
}

/** Listens to one kind of event; returns the function that stops listening. */
export function subscribe<Name extends EventName>(
  name: Name,
  listener: (payload: EventPayloads[Name]) => void,
): () => void {
  const onMessage = (message: unknown): void => listener(message as EventPayloads[Name]);
  channels[name].subscribe(onMessage);
  return () => channels[name].unsubscribe(onMessage);
}
