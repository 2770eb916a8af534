/** What an adapter is told before it describes a worker's process. */
export interface LaunchContext {
  readonly pool: string;
}

/** Everything needed to start one worker process; made by an adapter, carried out by the worker room. */
export interface LaunchSpec {
  /** What the process speaks, for messages: `python`, `node`. */
  readonly language: string;
  /** Absolute path, or a name that the PATH knows. */
  readonly executable: string;
  readonly args: readonly string[];
  /** Added to the allow-listed environment of the host. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders that come before those which `env` or the user's variables name, by variable, such as PYTHONPATH. */
  readonly searchPaths?: Readonly<Record<string, readonly string[]>>;
  readonly cwd?: string;
  readonly protocol: 'v1' | 'v2';
  readonly codec: 'auto' | 'json' | 'msgpack';
  /** Where the workers' code lies, for those who want to know when it changes. */
  readonly sources?: Sources;
  /** Where the workers can be forked from a process that is ready-made: how that one is started. v2 only. */
  readonly zygote?: ZygoteSpec;
}

/** Files of some folders, and of all that are below them. */
export interface Sources {
  /** Absolute. */
  readonly folders: readonly string[];
  /** How names of files that count end: `.py`. */
  readonly extensions: readonly string[];
}

/** Arguments that make a worker's executable a zygote, which speaks what proto/PROTOCOL.md says under "Zygote". */
export interface ZygoteSpec {
  readonly args: readonly string[];
}

/**
 * Turns options into a process and knows its commands; the ancestor's adapter contract.
 *
 * Only `prepare` is required. The others are called for every call of the pool, in the order they are written here.
 */
export interface Adapter {
  /** `python`, `node`, or a name of the user's choice, for messages. */
  readonly name: string;
  /** Finds the interpreter, checks the files and describes the process; called once before each start of the pool. */
  prepare(context: LaunchContext): Promise<LaunchSpec>;
  /** Where the worker itself does not list its commands: the ones it has. Absent: any command is sent. */
  readonly supportedCommands?: readonly string[];
  /** Refuses a call by throwing; whatever it throws reaches the caller as INVALID_ARGUMENTS, before anything is sent. */
  validate?(command: string, args: unknown): void;
  /** Rewrites the arguments on their way out. */
  prepareArgs?(command: string, args: unknown): unknown;
  /** Rewrites the result on its way in; throwing fails the call with INVALID_RESULT. */
  processResponse?(command: string, result: unknown): unknown;
  /** Milliseconds this command may take when the caller does not say; undefined leaves it to the pool's `timeoutMs`. */
  commandTimeoutMs?(command: string, args: unknown): number | undefined;
}
