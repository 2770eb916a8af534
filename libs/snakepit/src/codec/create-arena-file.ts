import { ArenaFile } from './arena-file.js';
import { MappedArenaFile } from './mapped-arena-file.js';
import { nativeMemory } from './native-memory.js';

/**
 * Memory to share with a worker: mapped where `koffi` is installed and `isMapped` wants it, else read and written by system calls.
 *
 * @throws where there is no shared memory
 */
export function createArenaFile(bytes: number, isMapped: boolean, onUnmapped: (error: unknown) => void): ArenaFile {
  try {
    const memory = isMapped ? nativeMemory() : undefined;
    if (memory !== undefined) return MappedArenaFile.map(memory, bytes);
  } catch (error) {
    onUnmapped(error);
  }
  return ArenaFile.create(bytes);
}
