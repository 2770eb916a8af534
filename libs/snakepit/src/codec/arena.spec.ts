import { openSync, readlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { Arena, type ArenaSide } from './arena.js';
import { ArenaFile } from './arena-file.js';
import { ProtocolViolation } from './failures.js';
import { MappedArenaFile } from './mapped-arena-file.js';
import { nativeMemory } from './native-memory.js';

const HALF = 1 << 20;
const large = (fill: number, bytes = 300_000): Buffer => Buffer.alloc(bytes, fill);

const FILES = [
  { name: 'read and written', create: (bytes: number) => ArenaFile.create(bytes) },
  { name: 'mapped', create: (bytes: number) => MappedArenaFile.map(nativeMemory()!, bytes) },
];

describe.runIf(process.platform === 'linux').each(FILES)('an arena that is $name', ({ create }) => {
  const files: ArenaFile[] = [];
  afterEach(() => {
    for (const file of files.splice(0)) file.close();
  });

  function shared(): ArenaFile {
    const file = create(2 * HALF);
    files.push(file);
    return file;
  }

  function arenaOf(file: ArenaFile, side: ArenaSide, onFull = (): void => {}): Arena {
    return new Arena({ file, side, thresholdBytes: 1_000, maxFrameBytes: 500_000, onFull });
  }

  it('carries bytes both ways', () => {
    const file = shared();
    const [host, worker] = [arenaOf(file, 'host'), arenaOf(file, 'worker')];
    const there = host.put(large(1))!;
    const back = worker.put(large(2))!;
    expect(worker.get(there, 300_000)).toEqual(large(1));
    expect(host.get(back, 300_000)).toEqual(large(2));
    expect(host.takeFetched()).toEqual([back]);
    worker.free(host.takePlaced().map(() => back));
    expect(worker.size).toBe(0);
  });

  it('leaves small bytes to the frame', () => {
    expect(arenaOf(shared(), 'host').put(Buffer.alloc(999))).toBeUndefined();
  });

  it('leaves no name behind', () => {
    expect(readlinkSync(`/proc/self/fd/${shared().fd}`)).toMatch(/ \(deleted\)$/);
  });

  it('says once that it has no room, and has room again when slices are freed', () => {
    let full = 0;
    const host = arenaOf(shared(), 'host', () => (full += 1));
    const placed = [1, 2, 3].map((fill) => host.put(large(fill))!);
    expect(host.put(large(4))).toBeUndefined();
    expect(host.put(large(4))).toBeUndefined();
    expect(full).toBe(1);
    host.free([placed[1]!]);
    expect(host.put(large(4))).toBe(placed[1]);
  });

  it('takes a full file system as no room', () => {
    const fd = openSync('/dev/full', 'r+');
    let full = 0;
    const file = new ArenaFile(fd, 2 * HALF);
    files.push(file);
    expect(arenaOf(file, 'host', () => (full += 1)).put(large(1))).toBeUndefined();
    expect(full).toBe(1);
  });

  it('lets a worker refer to what the host has sent it, while that is leased', () => {
    const host = arenaOf(shared(), 'host');
    const offset = host.put(large(7))!;
    expect(host.get(offset + 100, 5_000)).toEqual(large(7, 5_000));
    expect(host.takeFetched()).toEqual([]);
    host.free(host.takePlaced());
    expect(() => host.get(offset + 100, 5_000)).toThrow(ProtocolViolation);
  });

  it.each([
    ['beyond the end', 2 * HALF - 10, 20],
    ['across the halves', HALF - 10, 20],
    ['far out', 2 ** 52, 1],
    ['of no slice', 0, 10],
  ])('refuses a reference %s', (_, offset, length) => {
    expect(() => arenaOf(shared(), 'host').get(offset, length)).toThrow(ProtocolViolation);
  });

  it('refuses a frame that refers to more than maxFrameBytes in all', () => {
    const host = arenaOf(shared(), 'host');
    host.get(HALF, 400_000);
    expect(() => host.get(HALF, 400_000)).toThrow(/maxFrameBytes/);
  });

  it('refuses a release of what is not in use', () => {
    const worker = arenaOf(shared(), 'worker');
    const offset = worker.put(large(1))!;
    worker.free([offset]);
    expect(() => worker.free([offset])).toThrow(ProtocolViolation);
  });

  it('takes nothing more, and gives nothing, when its file is closed', () => {
    const file = shared();
    const host = arenaOf(file, 'host');
    file.close();
    file.close();
    expect(host.put(large(1))).toBeUndefined();
    expect(() => host.get(HALF, 1)).toThrow(ProtocolViolation);
  });
});
