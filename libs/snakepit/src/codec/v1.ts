import { isMap, parseErrorBody, type ErrorBody } from './bodies.js';
import { boundedText } from './bounded-text.js';
import type { ByteWriter } from './byte-writer.js';
import { CODEC_NAMES, type Codec, type CodecName } from './codec.js';
import { ProtocolViolation } from './failures.js';
import type { StackSignal } from './hello.js';
import { decodeUtf8 } from './utf8.js';

/** A request of protocol v1. */
export interface V1Request {
  readonly id: number;
  readonly command: string;
  readonly args: unknown;
}

/** A reply of protocol v1, as the host sees it. */
export type V1Reply =
  | { readonly id: number; readonly success: true; readonly result: unknown }
  | { readonly id: number; readonly success: false; readonly message: string; readonly details?: ErrorBody };

/** The first message of a host that negotiates, with its length. */
export function negotiationFrame(): Buffer {
  return jsonMessage({ type: 'protocol_negotiation', supported: CODEC_NAMES, preferred: CODEC_NAMES[0] });
}

/** The answer of a worker that negotiates, with its length. */
export function negotiationReplyFrame(codec: CodecName): Buffer {
  return jsonMessage({ type: 'protocol_selected', protocol: codec });
}

/** The codec that the bridge selected; undefined for any other answer, which means JSON. */
export function parseNegotiationReply(bytes: Buffer, start: number, end: number): CodecName | undefined {
  const reply = parseJsonMap(bytes, start, end);
  if (reply?.['type'] !== 'protocol_selected') return undefined;
  return CODEC_NAMES.find((name) => name === reply['protocol']);
}

/** What the host offers, in its order of preference; undefined when the message is no negotiation. */
export function parseNegotiationRequest(bytes: Buffer, start: number, end: number): readonly CodecName[] | undefined {
  const request = parseJsonMap(bytes, start, end);
  if (request?.['type'] !== 'protocol_negotiation') return undefined;
  const { supported, preferred } = request;
  const offered = [preferred, ...(Array.isArray(supported) ? (supported as unknown[]) : [])];
  return [...new Set(offered)].filter((name): name is CodecName => CODEC_NAMES.includes(name as CodecName));
}

/**
 * Appends a request with its length; returns the length without the prefix.
 *
 * @param timestamp RFC 3339
 * @throws EncodeError naming the argument; the caller rolls back
 */
export function encodeV1Request(codec: Codec, request: V1Request, timestamp: string, out: ByteWriter): number {
  const { id, command, args } = request;
  return encodeMessage(codec, { id, command, args, timestamp }, out);
}

/** Appends a reply with its length; returns the length without the prefix. */
export function encodeV1Reply(codec: Codec, reply: V1Reply, timestamp: string, out: ByteWriter): number {
  const { id } = reply;
  if (reply.success) return encodeMessage(codec, { id, success: true, result: reply.result, timestamp }, out);
  const { message, details } = reply;
  return encodeMessage(codec, { id, success: false, error: message, error_details: details, timestamp }, out);
}

/** @throws ProtocolViolation when the message is no reply */
export function parseV1Reply(value: unknown): V1Reply {
  if (!isMap(value)) throw new ProtocolViolation('a v1 reply is not a map');
  const { id, success, result, error, error_details: details } = value;
  if (!isId(id)) throw new ProtocolViolation('a v1 reply has no id');
  if (success === true) return { id, success, result: result ?? null };
  if (success !== false) throw new ProtocolViolation(`the v1 reply ${id} does not say whether it succeeded`);
  const message =
    typeof error === 'string' ? error : error === undefined ? 'the worker gave no reason' : boundedText(error);
  return { id, success, message, ...(isMap(details) && { details: parseErrorBody(details) }) };
}

/** What our SDKs say in their first reply: they write their stacks to stderr upon this signal. */
export function stackSignalOf(reply: Readonly<Record<string, unknown>>): StackSignal | undefined {
  return reply['stackSignal'] === 'SIGUSR1' ? 'SIGUSR1' : undefined;
}

/** @throws ProtocolViolation when the message is no request */
export function parseV1Request(value: unknown): V1Request {
  if (!isMap(value)) throw new ProtocolViolation('a v1 request is not a map');
  const { id, command, args } = value;
  if (!isId(id)) throw new ProtocolViolation('a v1 request has no id');
  if (typeof command !== 'string') throw new ProtocolViolation(`the v1 request ${id} has no command`);
  return { id, command, args: args ?? null };
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** The message itself nests what it carries by one level, and paths start inside it. */
function encodeMessage(codec: Codec, message: object, out: ByteWriter): number {
  const start = out.position;
  out.writeUInt32(0);
  codec.encode(message, out, '', 1);
  const length = out.position - start - 4;
  out.buffer.writeUInt32BE(length, start);
  return length;
}

function jsonMessage(message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message), 'utf8');
  const frame = Buffer.alloc(4 + text.length);
  frame.writeUInt32BE(text.length);
  frame.set(text, 4);
  return frame;
}

function parseJsonMap(bytes: Buffer, start: number, end: number): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes, start, end));
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
