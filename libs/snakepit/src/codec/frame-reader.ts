import { ProtocolViolation } from './failures.js';
import { HEADER_BYTES } from './frame.js';
import { allocateBuffer } from './large-buffer.js';

/** Takes frames as they arrive; the bytes are only valid during the call. */
export interface FrameSink {
  onFrame(kind: number, flags: number, aux: number, id: number, bytes: Buffer, start: number, end: number): void;
}

/** Takes the messages of protocol v1 as they arrive; the bytes are only valid during the call. */
export interface MessageSink {
  onMessage(bytes: Buffer, start: number, end: number): void;
}

function readUInt32(bytes: Buffer, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/**
 * Cuts a byte stream into length-prefixed pieces. A piece that lies within one chunk is handed on in place; one
 * that spans chunks is collected once, in a buffer of exactly its size:
 *
 *     chunk 1                      chunk 2
 *     [piece][piece][pie           ce][piece][he        ader...
 *      in place      collected ----^   in place  kept in #header
 */
abstract class PieceReader<Sink> {
  readonly #header: Buffer;
  #headerFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;

  constructor(
    private readonly headerBytes: number,
    private readonly maxBytes: number,
  ) {
    this.#header = Buffer.alloc(headerBytes);
  }

  /** @throws ProtocolViolation for a length over the limit, before anything is allocated for it. */
  push(chunk: Buffer, sink: Sink): void {
    const { headerBytes } = this;
    const end = chunk.length;
    let at = this.#headerFilled > 0 ? this.#resume(chunk, sink) : 0;
    while (end - at >= headerBytes) {
      const bodyStart = at + headerBytes;
      const bodyEnd = bodyStart + this.#checkedLength(chunk, at);
      if (bodyEnd > end) break;
      this.deliver(chunk, at, chunk, bodyStart, bodyEnd, sink);
      at = bodyEnd;
    }
    if (at < end) this.#keep(chunk, at);
  }

  protected abstract deliver(
    header: Buffer,
    headerStart: number,
    bytes: Buffer,
    start: number,
    end: number,
    sink: Sink,
  ): void;

  /** Completes what the chunks before began; returns where the next piece starts. */
  #resume(chunk: Buffer, sink: Sink): number {
    let at = this.#fillHeader(chunk, 0);
    if (this.#headerFilled < this.headerBytes) return at;
    this.#body ??= allocateBuffer(this.#checkedLength(this.#header, 0));
    at = this.#fillBody(this.#body, chunk, at);
    if (this.#bodyFilled < this.#body.length) return at;
    const body = this.#body;
    this.#headerFilled = 0;
    this.#body = undefined;
    this.#bodyFilled = 0;
    this.deliver(this.#header, 0, body, 0, body.length, sink);
    return at;
  }

  #keep(chunk: Buffer, start: number): void {
    if (this.#headerFilled > 0) return;
    const at = this.#fillHeader(chunk, start);
    if (this.#headerFilled < this.headerBytes) return;
    this.#body = allocateBuffer(this.#checkedLength(this.#header, 0));
    this.#fillBody(this.#body, chunk, at);
  }

  #fillHeader(chunk: Buffer, from: number): number {
    const copied = chunk.copy(this.#header, this.#headerFilled, from);
    this.#headerFilled += copied;
    return from + copied;
  }

  #fillBody(body: Buffer, chunk: Buffer, from: number): number {
    const copied = chunk.copy(body, this.#bodyFilled, from);
    this.#bodyFilled += copied;
    return from + copied;
  }

  #checkedLength(bytes: Buffer, at: number): number {
    const length = readUInt32(bytes, at);
    if (length > this.maxBytes) {
      throw new ProtocolViolation(`a frame of ${length} bytes exceeds maxFrameBytes (${this.maxBytes})`);
    }
    return length;
  }
}

/** Reads the frames of protocol v2 out of the chunks of a socket. */
export class FrameReader extends PieceReader<FrameSink> {
  constructor(maxFrameBytes: number) {
    super(HEADER_BYTES, maxFrameBytes);
  }

  protected override deliver(h: Buffer, at: number, bytes: Buffer, start: number, end: number, sink: FrameSink): void {
    const aux = (h[at + 6]! << 8) | h[at + 7]!;
    sink.onFrame(h[at + 4]!, h[at + 5]!, aux, readUInt32(h, at + 8), bytes, start, end);
  }
}

/** Reads the messages of protocol v1 out of the chunks of a pipe. */
export class MessageReader extends PieceReader<MessageSink> {
  constructor(maxFrameBytes: number) {
    super(4, maxFrameBytes);
  }

  protected override deliver(
    _: Buffer,
    __: number,
    bytes: Buffer,
    start: number,
    end: number,
    sink: MessageSink,
  ): void {
    sink.onMessage(bytes, start, end);
  }
}
