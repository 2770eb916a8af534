export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

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
}

/** Where log records go; the Nest module passes one that writes to Nest's Logger. */
export type LogSink = (record: LogRecord) => void;

export const silentLog: LogSink = () => {};
