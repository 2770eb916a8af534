import { closeSync, ftruncateSync } from 'node:fs';

import { ArenaFile } from './arena-file.js';
import { ProtocolViolation } from './failures.js';
import { allocateBuffer } from './large-buffer.js';
import type { NativeMemory } from './native-memory.js';

/**
 * An arena's file that this process has mapped: copying from memory to memory takes a third of the time of `read` and `write`.
 *
 * A page that is not there would end the process by SIGBUS. So the file is sealed, which keeps the other side from shortening it, and
 * pages are reserved before they are written.
 */
export class MappedArenaFile extends ArenaFile {
  readonly #memory: NativeMemory;
  /** Undefined when it is closed. */
  #address: bigint | undefined;
  /** Pages up to here are reserved. */
  #reserved = 0;

  private constructor(memory: NativeMemory, fd: number, bytes: number) {
    super(fd, bytes);
    this.#memory = memory;
    this.#address = memory.map(fd, bytes);
  }

  /** @throws where the system does not let it */
  static map(memory: NativeMemory, bytes: number): MappedArenaFile {
    const fd = memory.createFile();
    try {
      ftruncateSync(fd, bytes);
      memory.sealSize(fd);
      return new MappedArenaFile(memory, fd, bytes);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  override write(bytes: Uint8Array, at: number): boolean {
    const count = byteLengthOf(bytes);
    const address = this.#locate(at, count);
    if (address === undefined || !this.#reserve(at + count)) return false;
    this.#memory.copy(address, bytes, count);
    return true;
  }

  override read(at: number, length: number): Buffer {
    const address = this.#locate(at, length);
    if (address === undefined) throw new ProtocolViolation('the arena ends early');
    const bytes = allocateBuffer(length);
    this.#memory.copy(bytes, address, length);
    return bytes;
  }

  override close(): void {
    if (this.#address !== undefined) this.#memory.unmap(this.#address, this.bytes);
    this.#address = undefined;
    super.close();
  }

  /** Undefined when these bytes do not lie in the file, whatever became of the checks before: memory is at stake. */
  #locate(at: number, length: number): bigint | undefined {
    const isWithin = Number.isSafeInteger(at) && Number.isSafeInteger(length) && at >= 0 && length >= 0;
    if (this.#address === undefined || !isWithin || at + length > this.bytes) return undefined;
    return this.#address + BigInt(at);
  }

  #reserve(end: number): boolean {
    if (end <= this.#reserved) return true;
    if (!this.#memory.reserve(this.fd, this.#reserved, end - this.#reserved)) return false;
    this.#reserved = end;
    return true;
  }
}

const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const byteLength = Object.getOwnPropertyDescriptor(TypedArray, 'byteLength')!.get!;

/** What the engine says and not what a property of the object may say. */
function byteLengthOf(bytes: Uint8Array): number {
  return byteLength.call(bytes) as number;
}
