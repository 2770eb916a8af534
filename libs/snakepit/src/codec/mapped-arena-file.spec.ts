import { execFile } from 'node:child_process';
import { cpSync, fstatSync, ftruncateSync, mkdirSync, mkdtempSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ProtocolViolation } from './failures.js';
import { MappedArenaFile } from './mapped-arena-file.js';
import { nativeMemory, type NativeMemory } from './native-memory.js';

const BYTES = 16 * 1024 * 1024;

describe.runIf(process.platform === 'linux')('a mapped arena file', () => {
  const files: MappedArenaFile[] = [];
  afterEach(() => {
    for (const file of files.splice(0)) file.close();
  });

  function open(memory: NativeMemory = nativeMemory()!): MappedArenaFile {
    const file = MappedArenaFile.map(memory, BYTES);
    files.push(file);
    return file;
  }

  it('holds what is written for whoever has its descriptor', () => {
    const file = open();
    expect(file.write(Buffer.from('somewhere'), 5_000)).toBe(true);
    const seen = Buffer.alloc(9);
    readSync(file.fd, seen, 0, 9, 5_000);
    expect([seen.toString(), file.read(5_000, 9).toString()]).toEqual(['somewhere', 'somewhere']);
  });

  it.each([
    ['a part of a buffer', Buffer.from('abcdefgh').subarray(2, 5), 'cde'],
    ['shared memory', new Uint8Array(new SharedArrayBuffer(3)).fill(65), 'AAA'],
    [
      'a view that gives itself another length',
      Object.defineProperty(Buffer.from('xyz'), 'length', { value: 1e6 }),
      'xyz',
    ],
  ])('takes %s as it is', (_, bytes, text) => {
    const file = open();
    file.write(Buffer.alloc(100, '.'), 0);
    file.write(bytes, 10);
    expect(file.read(9, text.length + 2).toString()).toBe(`.${text}.`);
  });

  it('gives buffers of their own, of any size', () => {
    const file = open();
    const bytes = Buffer.alloc(BYTES, 'large');
    file.write(bytes, 0);
    const read = file.read(0, BYTES);
    file.write(Buffer.alloc(BYTES), 0);
    expect(read.equals(bytes)).toBe(true);
    expect([read.byteOffset, read.buffer.byteLength]).toEqual([0, BYTES]);
  });

  it('cannot be made shorter or longer', () => {
    const file = open();
    expect(() => ftruncateSync(file.fd, 4_096)).toThrow(/EPERM/);
    expect(() => ftruncateSync(file.fd, 2 * BYTES)).toThrow(/EPERM/);
    expect(fstatSync(file.fd).size).toBe(BYTES);
  });

  it.each([
    [-1, 1],
    [0, -1],
    [BYTES, 1],
    [BYTES - 5, 10],
    [0.5, 1],
    [Number.NaN, 1],
    [0, Infinity],
    [2 ** 53, 1],
  ])('touches nothing at %d for %d bytes', (at, length) => {
    const file = open();
    expect(() => file.read(at, length)).toThrow(ProtocolViolation);
    if (length > 0 && length < 100) expect(file.write(Buffer.alloc(length), at)).toBe(false);
  });

  it('is not written where the system has no pages for it', () => {
    const file = open({ ...nativeMemory()!, reserve: () => false });
    expect(file.write(Buffer.from('x'), 0)).toBe(false);
  });

  it('takes memory only as far as it was used', () => {
    const file = open();
    file.write(Buffer.alloc(1_000), 0);
    expect(fstatSync(file.fd).blocks * 512).toBeLessThan(BYTES / 2);
  });

  it('is not touched any more when it is closed', () => {
    const file = open();
    file.close();
    file.close();
    expect(file.write(Buffer.from('x'), 0)).toBe(false);
    expect(() => file.read(0, 1)).toThrow(ProtocolViolation);
  });
});

describe.runIf(process.platform === 'linux')('the arena is read and written by system calls', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'snakepit-plain-'));
    // The built library, away from every node_modules.
    for (const room of ['core', 'codec']) {
      cpSync(fileURLToPath(new URL(`../../dist/${room}`, import.meta.url)), join(folder, room), { recursive: true });
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function useArena(): Promise<string> {
    const script = `
      import { createArenaFile } from '${join(folder, 'codec/create-arena-file.js')}';
      const file = createArenaFile(1 << 20, true, (error) => console.log(error.message));
      file.write(Buffer.from('plain'), 4096);
      console.log(file.constructor.name, String(file.read(4096, 5)));`;
    const args = ['--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
    return stdout;
  }

  it('where koffi is not installed', async () => {
    expect(await useArena()).toBe('ArenaFile plain\n');
  });

  it('where koffi is too old, and that is told', async () => {
    mkdirSync(join(folder, 'node_modules/koffi'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/koffi/index.js'), "exports.version = '2.9.0';");
    expect(await useArena()).toBe('koffi 3 is needed, not 2.9.0\nArenaFile plain\n');
  });

  it('where koffi does not load, and that is told', async () => {
    mkdirSync(join(folder, 'node_modules/koffi'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/koffi/index.js'), "throw new Error('no binary for this system');");
    expect(await useArena()).toBe('no binary for this system\nArenaFile plain\n');
  });
});
