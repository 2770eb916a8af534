import type { CallId, ChannelCall, ChannelName } from '../channel/index.js';
import type { LogBody } from '../codec/index.js';
import type { Clock, LogRecord, LogSink } from '../core/index.js';
import { callFactsOf } from './call-facts.js';
import { LogThrottle } from './log-throttle.js';

export interface WorkerLogParts {
  readonly name: ChannelName;
  readonly clock: Clock;
  readonly log: LogSink;
  /** Records and lines of output per second. */
  readonly maxLogRate: number;
}

/** Passes on what a worker says, as much of it as is allowed, and what its host has to say of it. */
export class WorkerLog {
  readonly #name: ChannelName;
  readonly #log: LogSink;
  readonly #throttle: LogThrottle;

  constructor({ name, clock, log, maxLogRate }: WorkerLogParts) {
    this.#name = name;
    this.#log = log;
    this.#throttle = new LogThrottle(clock, maxLogRate, (dropped) =>
      this.tell('warn', `${dropped} log records or lines of output were dropped: more than ${maxLogRate} a second`),
    );
  }

  /** In the host's own words, which are never dropped. */
  tell(level: LogRecord['level'], message: string): void {
    this.#log({ level, message, ...this.#name });
  }

  onRecord(record: LogBody, call: ChannelCall | undefined, callId: CallId): void {
    if (!this.#throttle.admits()) return;
    this.#log({ ...record, ...this.#name, ...(call !== undefined && { call: callFactsOf(call, callId) }) });
  }

  onLine(stream: 'stdout' | 'stderr', line: string): void {
    if (this.#throttle.admits()) this.tell(stream === 'stdout' ? 'info' : 'warn', line);
  }

  /** No more comes. */
  end(): void {
    this.#throttle.flush();
  }
}
