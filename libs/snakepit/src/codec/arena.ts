import type { ArenaFile } from './arena-file.js';
import type { BinaryStore } from './binary.js';
import { ProtocolViolation } from './failures.js';
import { SliceAllocator } from './slice-allocator.js';

export type ArenaSide = 'host' | 'worker';

export interface ArenaParts {
  readonly file: ArenaFile;
  readonly side: ArenaSide;
  /** Smaller binary goes into the frame. */
  readonly thresholdBytes: number;
  /** What one frame may refer to in all. */
  readonly maxFrameBytes: number;
  /** Called once, when something had to go into its frame for want of room. */
  readonly onFull: () => void;
}

/**
 * One side's view of the memory that host and worker share.
 *
 * ```
 *   0                        bytes / 2                      bytes
 *   [ host's half            | worker's half               ]
 *     written by the host      written by the worker
 * ```
 * A slice belongs to the side that wrote it until that side frees it: the host when the call that it was sent with has ended,
 * the worker when the host releases it. Whatever is read is copied out at once.
 */
export class Arena implements BinaryStore {
  readonly #parts: ArenaParts;
  readonly #half: number;
  /** Where the own half begins. */
  readonly #base: number;
  readonly #allocator: SliceAllocator;
  #placed: number[] = [];
  #placedBytes = 0;
  #fetched: number[] = [];
  #fetchedBytes = 0;
  #wasFull = false;

  constructor(parts: ArenaParts) {
    this.#parts = parts;
    this.#half = parts.file.bytes / 2;
    this.#base = parts.side === 'host' ? 0 : this.#half;
    this.#allocator = new SliceAllocator(this.#half);
  }

  /** Slices of the own half that are in use. */
  get size(): number {
    return this.#allocator.size;
  }

  /** Bytes placed since `takePlaced`. */
  get placedBytes(): number {
    return this.#placedBytes;
  }

  /** Bytes fetched since `takeFetched`. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  put(bytes: Uint8Array): number | undefined {
    const { file, thresholdBytes } = this.#parts;
    if (bytes.length < thresholdBytes) return undefined;
    const slice = this.#allocator.allocate(bytes.length);
    if (slice === undefined) return this.#full();
    const offset = this.#base + slice;
    if (!file.write(bytes, offset)) {
      this.#allocator.free(slice);
      return this.#full();
    }
    this.#placed.push(offset);
    this.#placedBytes += bytes.length;
    return offset;
  }

  get(offset: number, length: number): Buffer {
    const end = offset + length;
    const isOwn = this.#isOwn(offset);
    if (!(isOwn ? this.#isInUse(offset, end) : this.#isOthers(offset, end))) {
      throw new ProtocolViolation(`a reference to bytes ${offset} to ${end} of the arena, which were not handed over`);
    }
    this.#fetchedBytes += length;
    if (this.#fetchedBytes > this.#parts.maxFrameBytes) {
      throw new ProtocolViolation(`a frame refers to more than maxFrameBytes (${this.#parts.maxFrameBytes})`);
    }
    if (!isOwn) this.#fetched.push(offset);
    return this.#parts.file.read(offset, length);
  }

  /** The slices that the frame just encoded refers to: whoever takes them frees them. */
  takePlaced(): readonly number[] {
    this.#placedBytes = 0;
    if (this.#placed.length === 0) return NONE;
    const placed = this.#placed;
    this.#placed = [];
    return placed;
  }

  /** The offsets by which the frame just decoded refers to the other side's half. */
  takeFetched(): readonly number[] {
    this.#fetchedBytes = 0;
    if (this.#fetched.length === 0) return NONE;
    const fetched = this.#fetched;
    this.#fetched = [];
    return fetched;
  }

  /** @throws ProtocolViolation for an offset at which no slice of the own half begins */
  free(offsets: readonly number[]): void {
    for (const offset of offsets) {
      if (!this.#allocator.free(offset - this.#base)) {
        throw new ProtocolViolation(`a release of byte ${offset} of the arena, where no slice begins`);
      }
    }
  }

  #isOwn(offset: number): boolean {
    return offset >= this.#base && offset < this.#base + this.#half;
  }

  #isInUse(offset: number, end: number): boolean {
    return this.#allocator.covers(offset - this.#base, end - this.#base);
  }

  #isOthers(offset: number, end: number): boolean {
    const base = this.#half - this.#base;
    return offset >= base && end <= base + this.#half;
  }

  #full(): undefined {
    if (this.#wasFull) return;
    this.#wasFull = true;
    this.#parts.onFull();
  }
}

const NONE: readonly number[] = Object.freeze([]);
