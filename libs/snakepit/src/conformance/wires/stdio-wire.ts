import type { BridgeProcess } from '../bridge-program.js';
import {
  ByteWriter,
  createCodec,
  encodeV1Request,
  MessageReader,
  negotiationFrame,
  parseNegotiationReply,
  parseV1Reply,
  type Codec,
  type CodecName,
} from '../../codec/index.js';
import { isPlainObject, toError } from '../../core/index.js';
import { OpenCall, type CallOrder, type RawBody } from '../open-call.js';
import { show } from '../show.js';
import { Beginning } from './beginning.js';
import type { Manifest, Wire, WireOwner, WireSettings } from './wire.js';

const OPENING_BRACE = 0x7b;
const MSGPACK_MAP_OF_FOUR = 0x84;

/** Protocol v1: one request at a time, on stdin and stdout. */
export class StdioWire implements Wire {
  readonly loose = { logs: [], events: [] };
  readonly pongs: number[] = [];
  readonly beginning = new Beginning();
  isClosed = false;
  /** The codec in use; undefined while the negotiation is open. */
  codec: Codec | undefined;
  /** The answer to the negotiation, of whatever kind. */
  negotiated: unknown;
  /** The last reply as it came, for those who look at its members. */
  lastReply: Readonly<Record<string, unknown>> = {};
  readonly #process: BridgeProcess;
  readonly #owner: WireOwner;
  readonly #reader: MessageReader;
  readonly #codecs: Readonly<Record<CodecName, Codec>>;
  readonly #pings = new Set<number>();
  #running: OpenCall | undefined;
  #nextId = 1;

  constructor(process: BridgeProcess, settings: WireSettings, owner: WireOwner) {
    this.#process = process;
    this.#owner = owner;
    this.#reader = new MessageReader(settings.maxFrameBytes);
    const limits = { maxDepth: settings.maxDepth + 8 };
    this.#codecs = { json: createCodec('json', limits, { plainJson: true }), msgpack: createCodec('msgpack', limits) };
    process.stdout.on('data', (chunk: Buffer) => this.#onData(chunk));
    for (const event of ['end', 'close', 'error']) process.stdout.on(event, this.#onClosed);
    process.stdin.on('error', this.#onClosed);
  }

  negotiate(): void {
    this.send(negotiationFrame());
  }

  use(codec: CodecName): void {
    this.codec = this.#codecs[codec];
  }

  get manifest(): Manifest {
    const codec = this.codec?.name ?? 'json';
    return { codec, answersWhileBusy: false, typedArrays: false, batches: false };
  }

  call(order: CallOrder): OpenCall {
    const call = new OpenCall(order, 0);
    call.id = this.#nextId++;
    this.#running = call;
    this.send(this.encodeCall(call));
    return call;
  }

  encodeCall({ id, order }: OpenCall): Buffer {
    const { command, args = {}, body } = order;
    const codec = this.codec ?? this.#codecs.json;
    if (body !== undefined) return requestAround(codec, { id, command: String(command), body });
    const out = new ByteWriter();
    encodeV1Request(codec, { id, command: String(command), args }, new Date().toISOString(), out);
    return out.take();
  }

  /** Takes note of a call whose bytes the caller sends. */
  expect(order: CallOrder): OpenCall {
    const call = new OpenCall(order, 0);
    call.id = this.#nextId++;
    this.#running = call;
    return call;
  }

  cancel(): void {}

  grant(): void {}

  ping(): number {
    const id = this.#nextId++;
    this.#pings.add(id);
    const out = new ByteWriter();
    encodeV1Request(this.codec ?? this.#codecs.json, { id, command: 'ping', args: {} }, new Date().toISOString(), out);
    this.send(out.take());
    return id;
  }

  sessionClosed(): void {}

  shutdown(): void {
    this.close();
  }

  close(): void {
    this.#process.stdin.end();
  }

  send(bytes: Buffer): void {
    this.beginning.onSent(bytes);
    if (this.#process.stdin.writable) this.#process.stdin.write(bytes);
  }

  #onMessage(bytes: Buffer, start: number, end: number): void {
    const isJson = bytes[start] === OPENING_BRACE;
    if (this.codec === undefined) {
      this.negotiated = parseNegotiationReply(bytes, start, end) ?? 'another answer';
      return;
    }
    const codec = this.#pings.size > 0 && isJson ? this.#codecs.json : this.codec;
    const message = codec.decode(bytes, start, end, 0);
    const reply = parseV1Reply(message);
    if (!isPlainObject(message)) return;
    this.lastReply = message;
    if (this.#pings.delete(reply.id)) {
      this.pongs.push(reply.id);
      return;
    }
    const call = this.#running;
    if (call === undefined || call.id !== reply.id) {
      this.#owner.onViolation(`a reply with the id ${reply.id}, which is no request's that waits: ${show(message)}`);
      return;
    }
    this.#running = undefined;
    if (reply.success) return call.settle({ kind: 'result', value: reply.result, serviceUs: 0 });
    const { message: text, details } = reply;
    call.settle({ kind: 'error', error: details ?? { code: 'REMOTE_ERROR', message: text }, serviceUs: 0 });
  }

  #onData(chunk: Buffer): void {
    this.beginning.onCame(chunk);
    try {
      this.#reader.push(chunk, { onMessage: (bytes, start, end) => this.#onMessage(bytes, start, end) });
    } catch (error) {
      this.#owner.onViolation(`on stdout: ${toError(error).message}`);
    }
    this.#owner.onChange();
  }

  readonly #onClosed = (): void => {
    this.isClosed = true;
    this.#owner.onChange();
  };
}

/** A request around arguments that are encoded already. */
function requestAround(codec: Codec, { id, command, body }: { id: number; command: string; body: RawBody }): Buffer {
  const timestamp = new Date().toISOString();
  const out = new ByteWriter();
  out.writeUInt32(0);
  if (codec.name === 'json') {
    const head = `{"id":${id},"command":${JSON.stringify(command)},"timestamp":"${timestamp}","args":`;
    out.writeBytes(Buffer.concat([Buffer.from(head), body.bytes, Buffer.from('}')]));
  } else {
    out.writeBytes(Buffer.of(MSGPACK_MAP_OF_FOUR));
    for (const part of ['id', id, 'command', command, 'timestamp', timestamp, 'args']) codec.encode(part, out);
    out.writeBytes(body.bytes);
  }
  out.buffer.writeUInt32BE(out.position - 4, 0);
  return out.take();
}
