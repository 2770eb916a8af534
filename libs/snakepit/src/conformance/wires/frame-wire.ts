import type { Socket } from 'node:net';

import {
  ByteWriter,
  CancelReason,
  COMMAND_BY_NAME,
  createCodec,
  Flag,
  FrameReader,
  HEADER_BYTES,
  Kind,
  MAX_SERVICE_US,
  parseHostCallBody,
  parseWorkerHello,
  ProtocolViolation,
  type Codec,
  type ErrorBody,
  type EventBody,
  type FrameSink,
  type LogBody,
} from '../../codec/index.js';
import { toErrorBody } from '../../channel/index.js';
import { isPlainObject, LOG_LEVELS, toError, type LogLevel } from '../../core/index.js';
import { OpenCall, type CallOrder, type Outcome } from '../open-call.js';
import { show } from '../show.js';
import { Beginning } from './beginning.js';
import type { Manifest, Wire, WireOwner, WireSettings } from './wire.js';

const MAX_HELLO_BYTES = 16 * 1024 * 1024;
/** A worker's answers to host calls may nest one deeper: the map around the value. */
const RESULT_ENVELOPE_DEPTH = 1;
const ENDING_KINDS: ReadonlySet<number> = new Set([Kind.RESULT, Kind.ERROR, Kind.END]);

const WORKER_CODES: ReadonlySet<string> = new Set([
  'REMOTE_ERROR',
  'INVALID_ARGUMENTS',
  'UNKNOWN_COMMAND',
  'INVALID_RESULT',
  'FRAME_TOO_LARGE',
  'CANCELLED',
  'CALL_TIMEOUT',
]);

/** Protocol v2, frame by frame, and stricter than a host is: whatever PROTOCOL.md forbids is a violation here. */
export class FrameWire implements Wire, FrameSink {
  readonly loose = { logs: [] as LogBody[], events: [] as EventBody[] };
  readonly pongs: number[] = [];
  readonly beginning = new Beginning();
  isClosed = false;
  /** The worker's hello was an error. */
  refusal: ErrorBody | undefined;
  readonly #socket: Socket;
  readonly #settings: WireSettings;
  readonly #owner: WireOwner;
  readonly #calls = new Map<number, OpenCall>();
  readonly #hostCalls = new Set<number>();
  #reader = new FrameReader(MAX_HELLO_BYTES);
  #codec: Codec | undefined;
  #manifest: Manifest | undefined;
  #nextId = 1;
  #nextPing = 1;

  constructor(socket: Socket, settings: WireSettings, owner: WireOwner) {
    this.#socket = socket;
    this.#settings = settings;
    this.#owner = owner;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    for (const event of ['end', 'close', 'error']) socket.on(event, this.#onClosed);
  }

  /** The host's hello, which begins everything. */
  sayHello(worker: string): void {
    const { codecs, maxFrameBytes, maxDepth, streamCredit, hello } = this.#settings;
    const known = { protocol: [2], codecs, maxFrameBytes, maxDepth, streamCredit, workerId: worker };
    const text = JSON.stringify({ ...known, pool: 'conformance', typedArrays: true, ...hello });
    this.sendFrame(Kind.HELLO, 0, 0, 0, Buffer.from(text));
  }

  /** Whether the worker has answered the hello, by a manifest or a refusal. */
  get hasAnswered(): boolean {
    return this.#manifest !== undefined || this.refusal !== undefined;
  }

  get manifest(): Manifest {
    if (this.#manifest === undefined) throw new Error('the worker has said no hello');
    return this.#manifest;
  }

  call(order: CallOrder): OpenCall {
    const call = new OpenCall(order, this.#settings.streamCredit);
    call.id = order.id ?? this.#nextId++;
    this.#calls.set(call.id, call);
    this.send(this.encodeCall(call));
    return call;
  }

  /** The frame of a call, for those who send several at once or in pieces. */
  encodeCall({ id, order }: OpenCall): Buffer {
    const index = this.#indexOf(order);
    const meta = {
      ...order.meta,
      ...((order.isNamed === true || index === COMMAND_BY_NAME) && { command: order.command }),
    };
    const hasMeta = Object.keys(meta).length > 0;
    const out = new ByteWriter();
    out.binary = this.#binary;
    let flags = order.stream === true ? Flag.STREAM : 0;
    const start = out.beginFrame();
    if (order.deadlineMs !== undefined) {
      flags |= Flag.DEADLINE;
      out.writeUInt32(order.deadlineMs);
    }
    if (order.body !== undefined) {
      out.writeBytes(order.body.bytes);
      flags |= order.body.tagged ? Flag.TAGGED : 0;
    } else if (hasMeta) {
      flags |= Flag.META | this.#codecInUse.encodeWithMeta(meta, order.args ?? {}, out);
    } else {
      flags |= this.#codecInUse.encode(order.args ?? {}, out, 'args');
    }
    out.endFrame(start, Kind.CALL, flags, order.isNamed === true ? COMMAND_BY_NAME : index, id);
    return out.take();
  }

  /** Takes note of a call whose frame the caller sends. */
  expect(order: CallOrder): OpenCall {
    const call = new OpenCall(order, this.#settings.streamCredit);
    call.id = order.id ?? this.#nextId++;
    this.#calls.set(call.id, call);
    return call;
  }

  cancel(call: OpenCall, reason: 'caller' | 'deadline'): void {
    const code = reason === 'caller' ? CancelReason.CALLER : CancelReason.DEADLINE;
    this.sendFrame(Kind.CANCEL, 0, code, call.id);
  }

  grant(call: OpenCall, chunks: number): void {
    call.granted += chunks;
    this.sendFrame(Kind.CREDIT, 0, chunks, call.id);
  }

  ping(): number {
    const id = this.#nextPing++;
    this.sendFrame(Kind.PING, 0, 0, id);
    return id;
  }

  sessionClosed(session: string): void {
    const out = new ByteWriter();
    const start = out.beginFrame();
    const flags = this.#codecInUse.encode(session, out);
    out.endFrame(start, Kind.SESSION_CLOSED, flags, 0, 0);
    this.send(out.take());
  }

  shutdown(): void {
    this.sendFrame(Kind.SHUTDOWN, 0, 0, 0);
  }

  close(): void {
    this.#socket.destroy();
  }

  sendFrame(kind: number, flags: number, aux: number, id: number, body: Buffer = Buffer.alloc(0)): void {
    this.send(frameBytes({ kind, flags, aux, id }, body));
  }

  send(bytes: Buffer): void {
    this.beginning.onSent(bytes);
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  onFrame(kind: number, flags: number, aux: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (this.#codec === undefined) return this.#onHello(kind, bytes, start, end);
    if (aux !== 0 && !ENDING_KINDS.has(kind)) throw new ProtocolViolation(`aux of ${nameOf(kind)} is ${aux}, not 0`);
    const extra = flags & ~Flag.TAGGED;
    if (extra !== 0) throw new ProtocolViolation(`${nameOf(kind)} has unused flags set: 0x${flags.toString(16)}`);
    const value = (): unknown => this.#codecInUse.decode(bytes, start, end, flags);
    switch (kind) {
      case Kind.RESULT: {
        const body = { bytes: Buffer.from(bytes.subarray(start, end)), tagged: flags !== 0 };
        const result = value();
        const call = this.#callOf(id, kind);
        if (call.order.stream === true) throw new ProtocolViolation('RESULT for a call that takes a stream');
        return this.#settle(call, { kind: 'result', value: result, serviceUs: aux, body });
      }
      case Kind.ERROR:
        return this.#settle(this.#callOf(id, kind), { kind: 'error', error: checkedError(value()), serviceUs: aux });
      case Kind.END: {
        if (end > start) throw new ProtocolViolation(`END has a body of ${end - start} bytes`);
        const call = this.#callOf(id, kind);
        if (call.order.stream !== true) throw new ProtocolViolation('END for a call that takes no stream');
        return this.#settle(call, { kind: 'end', serviceUs: aux });
      }
      case Kind.CHUNK: {
        const wrong = this.#callOf(id, kind).addChunk(value());
        if (wrong !== undefined) throw new ProtocolViolation(wrong);
        return;
      }
      case Kind.PROGRESS:
        return this.#callOf(id, kind).addProgress(value());
      case Kind.LOG: {
        const record = checkedLog(value());
        if (id === 0) this.loose.logs.push(record);
        else this.#callOf(id, kind).addLog(record);
        return;
      }
      case Kind.EVENT: {
        const event = checkedEvent(value());
        if (id === 0) this.loose.events.push(event);
        else this.#callOf(id, kind).addEvent(event);
        return;
      }
      case Kind.PING:
        return this.sendFrame(Kind.PONG, 0, 0, id);
      case Kind.PONG:
        this.pongs.push(id);
        return;
      case Kind.HOST_CALL:
        return this.#onHostCall(id, value());
      default:
        throw new ProtocolViolation(`a frame of kind 0x${kind.toString(16)}, which does not go to a host`);
    }
  }

  #onHello(kind: number, bytes: Buffer, start: number, end: number): void {
    if (this.refusal !== undefined) throw new ProtocolViolation('a frame behind a hello that refuses');
    if (kind !== Kind.HELLO) throw new ProtocolViolation(`the first frame is ${nameOf(kind)}, not HELLO`);
    const hello = parseWorkerHello(bytes, start, end);
    if ('error' in hello) {
      this.refusal = hello.error;
      return;
    }
    const { codecs, maxDepth, maxFrameBytes } = this.#settings;
    if (!codecs.includes(hello.codec)) throw new ProtocolViolation(`it chose '${hello.codec}', which was not offered`);
    this.#codec = createCodec(hello.codec, { maxDepth: maxDepth + 8 });
    this.#reader = new FrameReader(maxFrameBytes);
    const { answersWhileBusy = true, typedArrays = false, batches = false } = hello;
    this.#manifest = { ...hello, answersWhileBusy, typedArrays, batches };
  }

  #onHostCall(id: number, value: unknown): void {
    const body = parseHostCallBody(value);
    if (body === undefined) throw new ProtocolViolation(`a host call without a method: ${show(value)}`);
    if (id === 0 || this.#hostCalls.has(id)) throw new ProtocolViolation(`host call ${id}: 0, or an id in use`);
    this.#hostCalls.add(id);
    const call = body.call === undefined ? undefined : this.#calls.get(body.call);
    this.#owner.host.answer(body.method, body.args, call).then(
      (result) => this.#reply(id, Kind.HOST_RESULT, result),
      (error: unknown) => this.#reply(id, Kind.HOST_ERROR, toErrorBody(error)),
    );
  }

  #reply(id: number, kind: number, value: unknown): void {
    this.#hostCalls.delete(id);
    const out = new ByteWriter();
    out.binary = this.#binary;
    const start = out.beginFrame();
    const flags = this.#codecInUse.encode(value, out, 'value', RESULT_ENVELOPE_DEPTH);
    out.endFrame(start, kind, flags, 0, id);
    this.send(out.take());
    this.#owner.onChange();
  }

  #settle(call: OpenCall, outcome: Outcome): void {
    this.#calls.delete(call.id);
    call.settle(outcome);
  }

  #callOf(id: number, kind: number): OpenCall {
    const call = this.#calls.get(id);
    if (call === undefined)
      throw new ProtocolViolation(`${nameOf(kind)} for the id ${id}, which is no call's that runs`);
    return call;
  }

  #indexOf({ command }: CallOrder): number {
    if (typeof command === 'number') return command;
    const index = this.manifest.commands?.findIndex(({ name }) => name === command) ?? -1;
    return index < 0 ? COMMAND_BY_NAME : index;
  }

  get #codecInUse(): Codec {
    if (this.#codec === undefined) throw new Error('no codec has been agreed on');
    return this.#codec;
  }

  get #binary() {
    const { typedArrays } = this.manifest;
    return { keepsTypes: typedArrays, maxBytes: this.#settings.maxFrameBytes, store: undefined };
  }

  #onData(chunk: Buffer): void {
    this.beginning.onCame(chunk);
    try {
      this.#reader.push(chunk, this);
    } catch (error) {
      this.#owner.onViolation(toError(error).message);
      this.close();
    }
    this.#owner.onChange();
  }

  readonly #onClosed = (): void => {
    this.isClosed = true;
    this.#owner.onChange();
  };
}

export interface FrameHead {
  readonly kind: number;
  readonly flags: number;
  readonly aux: number;
  readonly id: number;
}

/** A frame as bytes, whatever it is; `length` may be a lie. */
export function frameBytes({ kind, flags, aux, id }: FrameHead, body: Buffer, length: number = body.length): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32BE(length, 0);
  head.writeUInt8(kind, 4);
  head.writeUInt8(flags, 5);
  head.writeUInt16BE(Math.min(aux, MAX_SERVICE_US), 6);
  head.writeUInt32BE(id, 8);
  return Buffer.concat([head, body]);
}

function nameOf(kind: number): string {
  return Object.entries(Kind).find(([, code]) => code === kind)?.[0] ?? `a frame of kind 0x${kind.toString(16)}`;
}

function checkedError(value: unknown): ErrorBody {
  if (!isPlainObject(value)) throw new ProtocolViolation(`an error that is no map: ${show(value)}`);
  const { code, message, type, traceback, started } = value;
  if (typeof code !== 'string' || !WORKER_CODES.has(code)) {
    throw new ProtocolViolation(`an error with the code ${show(code)}, which is none of a worker's`);
  }
  if (typeof message !== 'string') throw new ProtocolViolation(`an error whose message is ${show(message)}`);
  for (const [name, text] of Object.entries({ type, traceback })) {
    if (text !== undefined && text !== null && typeof text !== 'string') {
      throw new ProtocolViolation(`an error whose '${name}' is ${show(text)}`);
    }
  }
  if (started !== undefined && typeof started !== 'boolean') {
    throw new ProtocolViolation(`an error whose 'started' is ${show(started)}`);
  }
  return value as unknown as ErrorBody;
}

function checkedLog(value: unknown): LogBody {
  const isRecord = isPlainObject(value) && typeof value['message'] === 'string';
  if (!isRecord || !LOG_LEVELS.includes(value['level'] as LogLevel)) {
    throw new ProtocolViolation(`a log record without level and message: ${show(value)}`);
  }
  return value as unknown as LogBody;
}

function checkedEvent(value: unknown): EventBody {
  if (!isPlainObject(value) || typeof value['name'] !== 'string') {
    throw new ProtocolViolation(`an event without a name: ${show(value)}`);
  }
  return { name: value['name'], data: value['data'] ?? null };
}
