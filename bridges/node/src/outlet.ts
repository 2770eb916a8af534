import {
  BinaryTooLarge,
  ByteWriter,
  Kind,
  type Arena,
  type BinaryForm,
  type Codec,
  type ErrorBody,
} from 'nestjs-snakepit/codec';

import type { Outgoing } from './call-runner.js';
import { cutError, FrameTooLarge } from './failures.js';

const FLUSH_FRAMES = 32;
const FLUSH_BYTES = 64 * 1024;
const FLUSH_AFTER_MS = 0.1;

/** As much of a socket as a worker writes by. */
export interface HostSocket {
  /** `onTaken`: the bytes may be used again. */
  write(bytes: Buffer, onTaken: () => void): unknown;
  end(onEnded: () => void): unknown;
}

export interface OutletLimits {
  readonly maxFrameBytes: number;
  /** Whether the host understands typed arrays. */
  readonly keepsTypes: boolean;
}

/** Writes frames to the host, several with one system call. */
export class Outlet implements Outgoing {
  readonly #out = new ByteWriter();
  #frames = 0;
  #firstAt = 0;
  #isScheduled = false;
  #isEncoding = false;
  readonly #binaryInArena: BinaryForm;
  readonly #binaryInFrames: BinaryForm;

  constructor(
    private readonly socket: HostSocket,
    private readonly codec: Codec,
    private readonly limits: OutletLimits,
    private readonly arena: Arena | undefined,
  ) {
    this.#binaryInFrames = { keepsTypes: limits.keepsTypes, maxBytes: limits.maxFrameBytes, store: undefined };
    this.#binaryInArena = { ...this.#binaryInFrames, store: arena };
  }

  /** A frame is being encoded, which may run code of the user's, such as `toJSON`: nothing can be sent meanwhile. */
  get isEncoding(): boolean {
    return this.#isEncoding;
  }

  /**
   * @param envelopeDepth levels that the body adds to the value it carries
   * @throws EncodeError, FrameTooLarge: the frame is dropped then
   */
  send(kind: number, aux: number, id: number, value: unknown, root: string, envelopeDepth = 0): void {
    if (this.#isEncoding) throw new Error(`'${root}' cannot be sent while another value is encoded`);
    const out = this.#out;
    const start = out.beginFrame();
    this.#isEncoding = true;
    out.binary = kind === Kind.RESULT || kind === Kind.CHUNK ? this.#binaryInArena : this.#binaryInFrames;
    try {
      const flags = value === null ? 0 : this.codec.encode(value, out, root, envelopeDepth);
      const bytes = out.endFrame(start, kind, flags, aux, id) + (this.arena?.placedBytes ?? 0);
      if (bytes > this.limits.maxFrameBytes) throw this.#tooLarge(root, bytes);
      // The host says when it has read them.
      this.arena?.takePlaced();
    } catch (error) {
      out.rollback(start);
      this.arena?.free(this.arena.takePlaced());
      throw error instanceof BinaryTooLarge ? this.#tooLarge(root, error.bytes) : error;
    } finally {
      this.#isEncoding = false;
    }
    this.#wrote();
  }

  get maxFrameBytes(): number {
    return this.limits.maxFrameBytes;
  }

  /** How many bytes a value takes in a frame. @throws EncodeError, FrameTooLarge */
  measure(value: unknown): number {
    const out = new ByteWriter();
    out.binary = this.#binaryInFrames;
    try {
      this.codec.encode(value ?? null, out, 'result');
    } catch (error) {
      throw error instanceof BinaryTooLarge ? this.#tooLarge('result', error.bytes) : error;
    }
    if (out.position > this.limits.maxFrameBytes) throw this.#tooLarge('result', out.position);
    return out.position;
  }

  sendEmpty(kind: number, aux: number, id: number): void {
    this.#out.frame(kind, 0, aux, id);
    this.#wrote();
  }

  /** Never fails: what cannot be sent of an error is left out. */
  sendError(kind: number, aux: number, id: number, error: ErrorBody): void {
    try {
      this.send(kind, aux, id, error, 'error', 1);
    } catch (failure) {
      this.send(kind, aux, id, cutError(error, failure), 'error');
    }
  }

  /** Sends what has waited too long; called between calls. */
  flushIfLate(now: number): void {
    if (this.#frames > 0 && now - this.#firstAt >= FLUSH_AFTER_MS) this.flush();
  }

  flush(): boolean {
    if (this.#frames === 0) return true;
    this.#frames = 0;
    const bytes = this.#out.take();
    this.socket.write(bytes, () => this.#out.recycle(bytes));
    return true;
  }

  /** Sends what waits and closes the connection. */
  async close(): Promise<void> {
    this.flush();
    await new Promise<void>((resolve) => {
      this.socket.end(() => resolve());
    });
  }

  #tooLarge(root: string, bytes: number): FrameTooLarge {
    return new FrameTooLarge(root, bytes, this.limits.maxFrameBytes);
  }

  #wrote(): void {
    this.#frames += 1;
    if (this.#frames >= FLUSH_FRAMES || this.#out.position >= FLUSH_BYTES) {
      this.flush();
    } else if (this.#frames === 1) {
      this.#firstAt = performance.now();
      this.#schedule();
    }
  }

  readonly #flushOnTick = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  /** Ticks run when all promises that are ready have been served: the end of a turn. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.#flushOnTick);
  }
}
