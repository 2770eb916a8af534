import { loadedNativeMemory } from './native-memory.js';

/** Where glibc begins to map blocks one by one, until it knows better: M_MMAP_THRESHOLD of mallopt(3). */
const LARGE_BYTES = 128 * 1024;

/** The largest block that glibc learns from: DEFAULT_MMAP_THRESHOLD_MAX of mallopt(3), less room for its header. */
const LESSON_BYTES = 32 * 1024 * 1024 - 64 * 1024;

/** From here on a buffer holds a large page for certain, which spares 512 page faults, and whoever copies it most of its address look-ups. */
const LARGE_PAGES_FROM_BYTES = 4 * 1024 * 1024;

let hasTaught = false;

/** A buffer with memory of its own, whatever that holds. */
export function allocateBuffer(bytes: number): Buffer {
  if (bytes >= LARGE_BYTES && !hasTaught) keepFreedMemory();
  const buffer = Buffer.allocUnsafeSlow(bytes);
  if (bytes >= LARGE_PAGES_FROM_BYTES) loadedNativeMemory()?.preferLargePages(buffer);
  return buffer;
}

/**
 * Has glibc keep up to 64 MB of freed memory at the end of its heap, for the next large buffer.
 *
 * By default it maps large blocks anew and returns them when freed, so that every buffer is made of pages that the system has yet
 * to find and to clear, which takes longer than to copy it. It does so less when it sees that large blocks come and go
 * (mallopt(3), "dynamic mmap threshold"): this one does, when it is collected, and takes no memory, since it is never touched.
 * Other allocators and explicit settings (MALLOC_TRIM_THRESHOLD_) are not impressed by it.
 */
function keepFreedMemory(): void {
  hasTaught = true;
  void new ArrayBuffer(LESSON_BYTES);
}
