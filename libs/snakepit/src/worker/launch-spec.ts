import type { LogSink } from '../core/index.js';
import type { Privileges } from './privileges.js';
import type { Launch } from './process.js';
import type { OpenTap } from './tap.js';

/** What an adapter is told before it describes a worker's process. */
export interface LaunchContext {
  readonly pool: string;
  /** How many long calls a worker is to run at once. */
  readonly concurrency?: number;
  /** For what takes its time. */
  readonly log?: LogSink;
}

/** What any spec may say. */
interface CommonSpec {
  /** Put between each worker and its channel; absent: nothing is. */
  readonly tap?: OpenTap;
}

/** Everything needed to start one worker process; made by an adapter, carried out by the worker room. */
export interface LaunchSpec extends CommonSpec {
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
  /** Given by the pool's options. */
  readonly privileges?: Privileges;
  readonly protocol: 'v1' | 'v2';
  readonly codec: 'auto' | 'json' | 'msgpack';
  /** Whether it writes its stacks to stderr when a byte comes in on the descriptor that SNAKEPIT_STACKS_FD names. */
  readonly tellsStacks?: boolean;
  /** Whether each process gets a folder, named by SNAKEPIT_FOLDER, that is removed with all that is in it once the process has ended. */
  readonly hasFolder?: boolean;
  /** Where the workers' code lies, for those who want to know when it changes. */
  readonly sources?: Sources;
  /** What a person is to do about a start that failed with these words of the process; undefined where the language has nothing to add. */
  readonly remedyFor?: (said: string) => string | undefined;
  /** Where the program is built from its sources: builds it anew if they have changed, and returns the path of its executable. */
  readonly rebuild?: () => Promise<string>;
  /** Where the workers can be forked from a process that is ready-made: how that one is started. v2 only. */
  readonly zygote?: ZygoteSpec;
  /** The protocol goes over gRPC, and this is how the worker is to listen; absent: over its descriptors. */
  readonly grpc?: GrpcListenSpec;
}

/** Whether a spec is that of the ancestor's gRPC bridges, which are given a port on their command line. */
export function isGrpcBridge({ protocol, grpc }: Partial<Pick<LaunchSpec, 'protocol' | 'grpc'>>): boolean {
  return protocol === 'v1' && grpc !== undefined;
}

/** Files of some folders, and of all that are below them. */
export interface Sources {
  /** Absolute. */
  readonly folders: readonly string[];
  /** How names of files that count end: `.py`. */
  readonly extensions: readonly string[];
}

/** Where a worker that the host starts serves gRPC. */
export interface GrpcListenSpec {
  /** A Unix socket in a folder that only this user may enter, or a port of a loopback address. */
  readonly listen: 'unix' | 'tcp';
  /** For `tcp`: a loopback address. */
  readonly host: string;
  /** For `tcp`: the first port to try; 0 lets the system pick one. */
  readonly basePort: number;
  /** For `tcp`: how many ports there are from `basePort` on. */
  readonly portRange: number;
  /** Mutual TLS: by certificates made for each start of a worker, or by those given; absent: none. */
  readonly tls?: 'one-time' | GrpcTlsSpec;
  /** Whether server reflection is served too. */
  readonly reflection: boolean;
}

/** PEM texts. */
export interface GrpcTlsSpec {
  /** Who signed both certificates. */
  readonly ca: string;
  readonly worker: { readonly certificate: string; readonly key: string };
  readonly host: { readonly certificate: string; readonly key: string };
  /** The name in the worker's certificate. */
  readonly serverName: string;
}

/** Workers that somebody else starts and that this host attaches to, over gRPC. */
export interface AttachSpec extends CommonSpec {
  readonly language: string;
  /** `host:port`, `unix:/path`, or any other name that gRPC can resolve; the pool's workers are shared out evenly among them. */
  readonly addresses: readonly string[];
  readonly token?: string;
  /** PEM texts; an empty object trusts the authorities that Node.js does. Absent: no TLS. */
  readonly tls?: {
    readonly ca?: string | undefined;
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
    readonly serverName?: string | undefined;
  };
  readonly codec: 'auto' | 'json' | 'msgpack';
  /** `v1` is the ancestor's service. */
  readonly protocol: 'v1' | 'v2';
}

/** Workers that live in the host's own process, as the fakes of tests do. */
export interface InProcessSpec extends CommonSpec {
  readonly language: string;
  /** Makes a worker, which speaks v2 over the wire that it has. */
  readonly launch: Launch;
  /** Added to the allow-listed environment of the host. */
  readonly env: Readonly<Record<string, string>>;
  readonly codec: 'auto' | 'json' | 'msgpack';
}

export type WorkerSpec = LaunchSpec | AttachSpec | InProcessSpec;

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
  /** Finds the interpreter, checks the files and describes the process, or where workers listen; called once before each start of the pool. */
  prepare(context: LaunchContext): Promise<WorkerSpec>;
  /** Its workers live in the host's process: there is nothing that could outlive it. */
  readonly inProcess?: boolean;
  /** How many workers a pool has whose `size` is not given; absent: one for each CPU. */
  readonly defaultSize?: number;
  /** Pool options that its workers need otherwise than pools have them by default; what a user says wins. */
  readonly poolDefaults?: Readonly<Record<string, unknown>>;
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

/** An adapter whose workers are processes of this host. */
export interface ProcessAdapter extends Adapter {
  prepare(context: LaunchContext): Promise<LaunchSpec>;
}
