import { MAX_BATCH_SIZE, MAX_BATCH_WAIT_MS } from '../core/index.js';
import { isMap, parseErrorBody, type ErrorBody } from './bodies.js';
import type { ByteWriter } from './byte-writer.js';
import { CODEC_NAMES, type CodecName } from './codec.js';
import { ProtocolViolation } from './failures.js';
import { Kind } from './frame.js';
import { encodeJsonFrame } from './json-frame.js';
import type { JsonSchema } from './json-schema.js';
import { Members, parseJson } from './members.js';
import { readSchema } from './read-schema.js';

const MAX_COMMANDS = 0xffff;

/** The host's HELLO. */
export interface HostHello {
  readonly protocol: readonly number[];
  /** In order of preference. */
  readonly codecs: readonly CodecName[];
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  /** Chunks that a stream may send before any CREDIT. */
  readonly streamCredit: number;
  readonly workerId: string;
  readonly pool: string;
  /** Whether it understands typed arrays; absent means no. */
  readonly typedArrays?: boolean;
  /** Shared memory that the worker may use; absent when there is none. */
  readonly arena?: ArenaOffer;
  /** How many long calls it is to run at once; absent means one. */
  readonly concurrency?: number;
}

export interface ArenaOffer {
  /** The file's descriptor in the worker. */
  readonly fd: number;
  /** Size of the file, of which either side has one half to write. */
  readonly bytes: number;
  /** Binary of this size and more should go there. */
  readonly thresholdBytes: number;
}

/** One command of a worker; its position in the manifest is its index in CALL. */
export interface CommandManifest {
  readonly name: string;
  readonly kind: 'call' | 'stream';
  readonly doc?: string;
  /** Of the arguments of one call. */
  readonly schema?: JsonSchema;
  /** What the items of a list of arguments stand for, in order; absent where they stand for themselves. */
  readonly positional?: readonly string[];
  /** Of the result of one call, of a stream of each item. */
  readonly result?: JsonSchema;
  /** Its calls are to be batched; what is left out is for the host to say. */
  readonly batch?: BatchManifest;
  /** False where a call of it keeps the worker from running others; absent means that it does not. */
  readonly concurrent?: boolean;
  /** False where it sees nothing of a call's meta, so that a trace that is not sampled need not be sent. */
  readonly context?: boolean;
}

/** How a worker would have the calls of a command batched. */
export interface BatchManifest {
  /** The most calls of one batch. */
  readonly maxSize?: number;
  /** How long a batch that is not full may wait for more, in milliseconds. */
  readonly maxWaitMs?: number;
  /** It waits only while another batch of the command runs. */
  readonly adaptive?: boolean;
}

/** The one signal that may be named, so that no worker can have the host send it another. */
export type StackSignal = 'SIGUSR1';

/** The worker's HELLO. */
export interface WorkerHello {
  readonly protocol: 2;
  readonly codec: CodecName;
  readonly language: string;
  readonly runtime: { readonly name: string; readonly version: string };
  readonly sdk: { readonly name: string; readonly version: string };
  readonly pid: number;
  /** Whether PING is answered while a command runs; absent means yes. */
  readonly answersWhileBusy?: boolean;
  /** Whether it understands typed arrays; absent means no. */
  readonly typedArrays?: boolean;
  /** Whether it reads from the arena that was offered, and may write to it; absent means no. */
  readonly arena?: boolean;
  /** The signal upon which it writes the stacks of its threads to stderr; absent where it does not know one. */
  readonly stackSignal?: StackSignal;
  /** Whether it understands calls whose meta says `batch`; absent means no. */
  readonly batches?: boolean;
  readonly commands: readonly CommandManifest[];
}

/** Appends a whole HELLO frame. */
export function encodeHello(hello: HostHello | WorkerHello | { readonly error: ErrorBody }, out: ByteWriter): void {
  encodeJsonFrame(Kind.HELLO, 0, hello, out);
}

/** @throws ProtocolViolation naming the member that is missing or wrong */
export function parseWorkerHello(bytes: Buffer, start: number, end: number): WorkerHello | { error: ErrorBody } {
  return checkWorkerHello(parseJson(bytes, start, end, 'hello'));
}

/** @throws ProtocolViolation naming the member that is missing or wrong */
export function checkWorkerHello(value: unknown): WorkerHello | { error: ErrorBody } {
  const hello = new Members(value, 'hello');
  if (isMap(hello.map['error'])) return { error: parseErrorBody(hello.map['error']) };
  if (hello.map['protocol'] !== 2) hello.refuse('protocol', '2');
  return {
    protocol: 2,
    codec: hello.oneOf('codec', CODEC_NAMES),
    language: hello.text('language'),
    runtime: nameAndVersion(hello.members('runtime')),
    sdk: nameAndVersion(hello.members('sdk')),
    pid: hello.integer('pid', 1),
    ...(hello.map['answersWhileBusy'] === false && { answersWhileBusy: false }),
    ...(hello.map['typedArrays'] === true && { typedArrays: true }),
    ...(hello.map['arena'] === true && { arena: true }),
    ...(hello.map['stackSignal'] === 'SIGUSR1' && { stackSignal: 'SIGUSR1' }),
    ...(hello.map['batches'] === true && { batches: true }),
    commands: parseCommands(hello.list('commands')),
  };
}

/** @throws ProtocolViolation naming the member that is missing or wrong */
export function parseHostHello(bytes: Buffer, start: number, end: number): HostHello {
  const hello = new Members(parseJson(bytes, start, end, 'hello'), 'hello');
  return {
    protocol: hello.list('protocol').filter((version) => typeof version === 'number'),
    codecs: hello.list('codecs').filter((codec) => CODEC_NAMES.includes(codec as CodecName)) as CodecName[],
    maxFrameBytes: hello.integer('maxFrameBytes', 1),
    maxDepth: hello.integer('maxDepth', 1),
    streamCredit: hello.integer('streamCredit', 1),
    workerId: hello.text('workerId'),
    pool: hello.text('pool'),
    ...(hello.map['typedArrays'] === true && { typedArrays: true }),
    ...(isMap(hello.map['arena']) && { arena: parseArenaOffer(hello.members('arena')) }),
    ...(hello.map['concurrency'] !== undefined && { concurrency: hello.integer('concurrency', 1) }),
  };
}

function parseArenaOffer(offer: Members): ArenaOffer {
  return {
    fd: offer.integer('fd', 3),
    bytes: offer.integer('bytes', 2),
    thresholdBytes: offer.integer('thresholdBytes', 1),
  };
}

function nameAndVersion(members: Members): { name: string; version: string } {
  return { name: members.text('name'), version: members.text('version') };
}

function parseCommands(list: readonly unknown[]): CommandManifest[] {
  if (list.length > MAX_COMMANDS) throw new ProtocolViolation(`hello.commands has more than ${MAX_COMMANDS} commands`);
  const names = new Set<string>();
  return list.map((entry, index) => {
    const command = new Members(entry, `hello.commands[${index}]`);
    const name = command.text('name');
    if (names.has(name)) throw new ProtocolViolation(`hello.commands has '${name}' twice`);
    names.add(name);
    const { doc, schema, positional, result, batch } = command.map;
    const at = `hello.commands[${index}] ('${name}')`;
    if (doc !== undefined && doc !== null && typeof doc !== 'string') command.refuse('doc', 'a string');
    if (positional !== undefined && positional !== null && !isNames(positional))
      command.refuse('positional', 'a list of strings');
    return {
      name,
      kind: command.oneOf('kind', ['call', 'stream']),
      ...(typeof doc === 'string' && { doc }),
      ...(schema !== undefined && schema !== null && { schema: readSchema(schema, `${at}.schema`) }),
      ...(isNames(positional) && { positional }),
      ...(result !== undefined && result !== null && { result: readSchema(result, `${at}.result`) }),
      ...(batch !== undefined && batch !== null && { batch: parseBatch(command.members('batch')) }),
      ...(command.map['concurrent'] === false && { concurrent: false }),
      ...(command.map['context'] === false && { context: false }),
    };
  });
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function parseBatch(batch: Members): BatchManifest {
  const { maxSize, maxWaitMs, adaptive } = batch.map;
  if (adaptive !== undefined && typeof adaptive !== 'boolean') batch.refuse('adaptive', 'true or false');
  return {
    ...(maxSize !== undefined && { maxSize: batch.integer('maxSize', 1, MAX_BATCH_SIZE) }),
    ...(maxWaitMs !== undefined && { maxWaitMs: batch.integer('maxWaitMs', 0, MAX_BATCH_WAIT_MS) }),
    ...(typeof adaptive === 'boolean' && { adaptive }),
  };
}
