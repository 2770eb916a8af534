export { SNAKEPIT_VERSION } from '../core/version.js';
export { Arena, type ArenaSide } from './arena.js';
export { ArenaFile } from './arena-file.js';
export { createArenaFile } from './create-arena-file.js';
export { PLAIN_BINARY, type BinaryForm, type BinaryStore } from './binary.js';
export {
  isMap,
  parseCallMeta,
  parseErrorBody,
  parseEventBody,
  parseHostCallBody,
  parseLogBody,
  SPANS_EVENT,
  type CallMeta,
  type ErrorBody,
  type EventBody,
  type HostCallBody,
  type LogBody,
} from './bodies.js';
export { ByteWriter } from './byte-writer.js';
export { CODEC_NAMES, type Codec, type CodecLimits, type CodecName, type CodecOptions } from './codec.js';
export { createCodec } from './create-codec.js';
export { MAX_ELEMENTS } from './element-limit.js';
export { BinaryTooLarge, EncodeError, ProtocolViolation } from './failures.js';
export { FrameReader, MessageReader, type FrameSink, type MessageSink } from './frame-reader.js';
export { CancelReason, COMMAND_BY_NAME, Flag, HEADER_BYTES, Kind, MAX_SERVICE_US } from './frame.js';
export {
  checkWorkerHello,
  encodeHello,
  parseHostHello,
  parseWorkerHello,
  type ArenaOffer,
  type BatchManifest,
  type CommandManifest,
  type HostHello,
  type StackSignal,
  type WorkerHello,
} from './hello.js';
export { JSON_TYPES, type JsonSchema, type JsonType, type Subschema, type ValueKind } from './json-schema.js';
export { readSchema, referredTo } from './read-schema.js';
export {
  encodeV1Reply,
  encodeV1Request,
  negotiationFrame,
  negotiationReplyFrame,
  parseNegotiationReply,
  parseNegotiationRequest,
  parseV1Reply,
  parseV1Request,
  stackSignalOf,
  type V1Reply,
  type V1Request,
} from './v1.js';
export { elementTypeName, elementTypeOf, PLAIN_BYTES } from './typed-array.js';
export {
  METRICS_EVENT,
  RESERVED_EVENT_PREFIX,
  type WorkerMetricEntry,
  type WorkerMetricKind,
} from './worker-metrics.js';
export { encodeForkOrder, parseZygoteMessage, type ForkOrder, type ForkOutcome, type ZygoteMessage } from './zygote.js';
