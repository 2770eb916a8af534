import {
  createCodec,
  Flag,
  FrameReader,
  Kind,
  MessageReader,
  parseCallMeta,
  parseErrorBody,
  parseEventBody,
  parseHostCallBody,
  parseHostHello,
  parseLogBody,
  parseNegotiationReply,
  parseNegotiationRequest,
  parseV1Reply,
  parseV1Request,
  parseWorkerHello,
  parseZygoteMessage,
  ProtocolViolation,
  type BinaryStore,
} from '../../codec/index.js';
import * as grpc from '../../codec/grpc/index.js';

/** Which of the seeds a decoder is fed with. */
export const SEED_KINDS = [
  'frames',
  'messages',
  'json',
  'tagged',
  'msgpack',
  'hello',
  'zygote',
  'v1',
  'protobuf',
] as const;
export type SeedKind = (typeof SEED_KINDS)[number];

/** A decoder: takes any bytes, and returns a value or throws ProtocolViolation. */
export interface Target {
  readonly name: string;
  readonly seeds: readonly SeedKind[];
  /** `choice` is a random number that decides between variants, such as where chunks end. */
  readonly decode: (bytes: Buffer, choice: number) => unknown;
}

export const MAX_FRAME_BYTES = 256 * 1024;
const LIMITS = { maxDepth: 64, maxElements: 20_000 };

/** Hands out zeros for any place within a megabyte, as an arena would within its bounds. */
const store: BinaryStore = {
  put: () => undefined,
  get: (offset, length) => {
    if (offset + length > 4_096) throw new ProtocolViolation('outside of the arena');
    return Buffer.alloc(length);
  },
};

const msgpack = createCodec('msgpack', LIMITS, { store });
const json = createCodec('json', LIMITS, { store });
const plainJson = createCodec('json', LIMITS, { plainJson: true });
const v1Msgpack = createCodec('msgpack', LIMITS);

const BODIES = [parseErrorBody, parseLogBody, parseEventBody, parseHostCallBody, parseCallMeta];
const ZYGOTE_KINDS = [Kind.HELLO, Kind.FORKED, Kind.ERROR, Kind.EXITED];
const PROTOBUF = [...decodersOf(grpc), ...decodersOf(grpc.ancestor)];

/** Every decoder of the host, which in part are the Node SDK's too. */
export const TARGETS: readonly Target[] = [
  { name: 'frames of v2', seeds: ['frames'], decode: readFrames },
  { name: 'messages of v1', seeds: ['messages'], decode: readMessages },
  { name: 'MessagePack', seeds: ['msgpack'], decode: (bytes) => msgpack.decode(bytes, 0, bytes.length, 0) },
  { name: 'JSON', seeds: ['json', 'hello'], decode: (bytes) => json.decode(bytes, 0, bytes.length, 0) },
  { name: 'tagged JSON', seeds: ['tagged'], decode: (bytes) => json.decode(bytes, 0, bytes.length, Flag.TAGGED) },
  { name: 'hello of a worker', seeds: ['hello'], decode: (bytes) => parseWorkerHello(bytes, 0, bytes.length) },
  { name: 'hello of a host', seeds: ['hello'], decode: (bytes) => parseHostHello(bytes, 0, bytes.length) },
  { name: 'zygote', seeds: ['zygote', 'hello'], decode: readZygote },
  { name: 'v1 over JSON', seeds: ['v1'], decode: (bytes, choice) => readV1(plainJson, bytes, choice) },
  {
    name: 'v1 over MessagePack',
    seeds: ['v1'],
    decode: (bytes, choice) => readV1(v1Msgpack, bytes, choice),
  },
  { name: 'bodies', seeds: ['msgpack'], decode: readBody },
  { name: 'protobuf', seeds: ['protobuf', 'msgpack'], decode: (bytes, choice) => pick(PROTOBUF, choice)(bytes) },
];

/** In chunks, the boundaries of which `choice` decides. */
function readFrames(bytes: Buffer, choice: number): unknown {
  const frames: unknown[] = [];
  const reader = new FrameReader(MAX_FRAME_BYTES);
  const sink = {
    onFrame: (kind: number, flags: number, aux: number, id: number, chunk: Buffer, start: number, end: number) => {
      if (start > end || end > chunk.length) throw new Error('a frame outside of its chunk');
      frames.push([kind, flags, aux, id, end - start]);
    },
  };
  for (const chunk of chunksOf(bytes, choice)) reader.push(chunk, sink);
  return frames;
}

function readMessages(bytes: Buffer, choice: number): unknown {
  const messages: unknown[] = [];
  const reader = new MessageReader(MAX_FRAME_BYTES);
  const sink = { onMessage: (_: Buffer, start: number, end: number) => void messages.push(end - start) };
  for (const chunk of chunksOf(bytes, choice)) reader.push(chunk, sink);
  return messages;
}

function* chunksOf(bytes: Buffer, choice: number): Iterable<Buffer> {
  const size = choice % 4 === 0 ? bytes.length : 1 + (choice % 37);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function readZygote(bytes: Buffer, choice: number): unknown {
  return parseZygoteMessage({ kind: pick(ZYGOTE_KINDS, choice), number: 1, bytes, start: 0, end: bytes.length });
}

function readV1(codec: typeof plainJson, bytes: Buffer, choice: number): unknown {
  parseNegotiationReply(bytes, 0, bytes.length);
  parseNegotiationRequest(bytes, 0, bytes.length);
  const message = codec.decode(bytes, 0, bytes.length, 0);
  return choice % 3 === 0 ? parseV1Request(message) : parseV1Reply(message);
}

function readBody(bytes: Buffer, choice: number): unknown {
  return pick(BODIES, choice)(msgpack.decode(bytes, 0, bytes.length, 0));
}

function pick<Item>(items: readonly Item[], choice: number): Item {
  return items[choice % items.length]!;
}

function decodersOf(module: object): Array<(bytes: Uint8Array) => unknown> {
  const entries = Object.entries(module).filter(
    ([name, value]) => name.startsWith('decode') && typeof value === 'function',
  );
  return entries.map(([, decode]) => decode as (bytes: Uint8Array) => unknown);
}
