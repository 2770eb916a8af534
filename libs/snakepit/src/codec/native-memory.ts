import { createRequire } from 'node:module';

/**
 * What the library asks of the C library by way of the optional package `koffi`: memory that two processes share. The package is
 * loaded when it is first needed, and nothing else in the library knows of it.
 */
export interface NativeMemory {
  /** Returns the descriptor of an empty, nameless file in memory. */
  createFile(): number;
  /** From then on a file of `createFile` keeps its size: nobody can shorten it under a mapping. */
  sealSize(fd: number): void;
  /** Returns an address. */
  map(fd: number, bytes: number): bigint;
  unmap(address: bigint, bytes: number): void;
  /** Has the system find pages for a part of a file; false when there are none. */
  reserve(fd: number, at: number, bytes: number): boolean;
  /** Nothing is checked: whoever calls knows that both sides have that many bytes. */
  copy(into: bigint | Uint8Array, from: bigint | Uint8Array, bytes: number): void;
  /** Asks for few large pages behind a buffer that is about to be filled, in place of many small ones. */
  preferLargePages(buffer: Uint8Array): void;
}

type Native = (...args: unknown[]) => unknown;

/** As far as it is used here; see https://koffi.dev. */
interface Koffi {
  readonly version: string;
  load(path: null): { func(prototype: string): Native };
  errno(): number;
  address(buffer: Uint8Array): bigint;
}

/** Those for which the constants below hold, and where `off_t` has 64 bits. */
const ARCHITECTURES: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64']);

// Of <linux/memfd.h>, <linux/fcntl.h> and <asm-generic/mman.h>.
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 2n ** 64n - 1n;
const MADV_HUGEPAGE = 14;
const EINTR = 4;
const LARGE_PAGE_BYTES = 2n * 1024n * 1024n;

let loaded: { readonly memory: NativeMemory | undefined } | undefined;

/**
 * Undefined where `koffi` is not installed, or the system is no 64-bit Linux.
 *
 * @throws once, when the package is there but cannot be used
 */
export function nativeMemory(): NativeMemory | undefined {
  if (loaded !== undefined) return loaded.memory;
  loaded = { memory: undefined };
  const isSupported = process.platform === 'linux' && ARCHITECTURES.has(process.arch);
  const koffi = isSupported ? requireKoffi() : undefined;
  if (koffi === undefined) return undefined;
  // Before, pointers were no bigints.
  if (Number.parseInt(koffi.version, 10) < 3) throw new Error(`koffi 3 is needed, not ${koffi.version}`);
  loaded = { memory: linuxMemory(koffi) };
  return loaded.memory;
}

/** The same, but only where somebody has asked for it before. */
export function loadedNativeMemory(): NativeMemory | undefined {
  return loaded?.memory;
}

function requireKoffi(): Koffi | undefined {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function linuxMemory(koffi: Koffi): NativeMemory {
  const library = koffi.load(null);
  const memfdCreate = library.func('int memfd_create(const char *name, unsigned int flags)');
  const fcntl = library.func('int fcntl(int fd, int command, ...)');
  const mmap = library.func('void *mmap(void *at, size_t length, int access, int flags, int fd, int64_t offset)');
  const munmap = library.func('int munmap(void *address, size_t length)');
  const madvise = library.func('int madvise(void *address, size_t length, int advice)');
  const fallocate = library.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
  const memcpy = library.func('void *memcpy(void *into, const void *from, size_t bytes)');

  const refuse = (call: string): never => {
    throw new Error(`${call} failed with errno ${koffi.errno()}`);
  };
  return {
    createFile() {
      const fd = memfdCreate('snakepit', MFD_CLOEXEC | MFD_ALLOW_SEALING) as number;
      return fd < 0 ? refuse('memfd_create') : fd;
    },
    sealSize(fd) {
      if (fcntl(fd, F_ADD_SEALS, 'int', F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) !== 0) refuse('fcntl');
    },
    map(fd, bytes) {
      const address = mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0) as bigint;
      return address === MAP_FAILED ? refuse('mmap') : address;
    },
    unmap: (address, bytes) => void munmap(address, bytes),
    reserve(fd, at, bytes) {
      for (;;) {
        if (fallocate(fd, 0, at, bytes) === 0) return true;
        if (koffi.errno() !== EINTR) return false;
      }
    },
    copy: (into, from, bytes) => void memcpy(into, from, bytes),
    preferLargePages(buffer) {
      const begin = koffi.address(buffer);
      const first = (begin + LARGE_PAGE_BYTES - 1n) & -LARGE_PAGE_BYTES;
      const end = (begin + BigInt(buffer.length)) & -LARGE_PAGE_BYTES;
      if (first < end) madvise(first, Number(end - first), MADV_HUGEPAGE);
    },
  };
}
