export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The call in whose name a worker wrote a log record. */
export interface LogCall {
  /** Its number in that worker, which the worker's `ctx` knows too; it is used again when the call is over. */
  readonly id: number;
  readonly command: string;
  /** Of the caller's trace, where it sent one. */
  readonly traceId?: string;
  /** What the application sent along, such as a request's id. */
  readonly context?: Readonly<Record<string, string>>;
}

/** One line of the library's or a worker's log. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly pool?: string;
  readonly worker?: string;
  /** Name the worker's own logging gave, such as `app.models`. */
  readonly logger?: string;
  /** What the worker attached to the record. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly call?: LogCall;
}

/** Where log records go; the Nest module passes one that writes to Nest's Logger. */
export type LogSink = (record: LogRecord) => void;

export const silentLog: LogSink = () => {};
