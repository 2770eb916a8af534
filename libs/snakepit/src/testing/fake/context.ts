/** A map that the host keeps. */
interface HostMap {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<boolean>;
  keys(): Promise<string[]>;
  update<Value>(key: string, change: (value: unknown) => Value | Promise<Value>): Promise<Value>;
}

type LogLine = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** What a fake's command knows of its call: all that a Node worker's does, and the worker that it fakes. */
export interface FakeContext {
  readonly callId: number;
  readonly command: string;
  readonly session: HostMap & { readonly id: string | undefined; readonly programs: HostMap };
  /** A map shared by all sessions and pools of the host. */
  readonly globals: HostMap;
  /** Milliseconds left on the host's clock; undefined without a deadline. */
  readonly deadlineMs: number | undefined;
  /** Aborts when the caller cancels, when the deadline passes and when the worker is gone. */
  readonly signal: AbortSignal;
  readonly cancelled: boolean;
  readonly log: Readonly<Record<'debug' | 'info' | 'warn' | 'error' | 'fatal', LogLine>>;
  progress(value: unknown): void;
  emit(name: string, data?: unknown): void;
  readonly trace: { readonly traceparent?: string; readonly tracestate?: string } | undefined;
  readonly context: Readonly<Record<string, string>>;
  readonly worker: FakeWorker;
}

/** The worker that a fake's command runs in, to do what a command can do to a process. */
export interface FakeWorker {
  /** Such as `reports-2`. */
  readonly id: string;
  readonly pool: string;
  /** What a process of its own would see as its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends the worker as `process.exit(status)` ends a process; the returned promise never settles. */
  exit(status?: number): Promise<never>;
  /** Ends it as a signal does that nobody of the host has sent, such as SIGSEGV, or SIGKILL where memory is short. */
  kill(signal?: NodeJS.Signals): Promise<never>;
  /** Keeps it from reading, answering and obeying SIGTERM for so long, as code does that gives up no thread; on the host's clock. */
  block(ms: number): Promise<void>;
  /** Prints a line. */
  print(line: string, stream?: 'stdout' | 'stderr'): void;
}

/** Arguments as their caller sent them, then the {@link FakeContext}; returns a result, a promise of one, or an iterator of items. */
// oxlint-disable-next-line typescript/no-explicit-any
export type FakeCommand = (...args: any[]) => unknown;
