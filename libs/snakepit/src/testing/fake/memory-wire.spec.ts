import { once } from 'node:events';

import { describe, expect, it } from 'vitest';

import { MemoryWire } from './memory-wire.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function connected() {
  const read: string[] = [];
  const heard: string[] = [];
  let isClosed = false;
  const wire = new MemoryWire({ read: (bytes) => read.push(bytes.toString()), closed: () => (isClosed = true) });
  wire.on('data', (bytes: Buffer) => heard.push(bytes.toString()));
  return { wire, read, heard, isClosed: () => isClosed };
}

describe('a wire in memory', () => {
  it('delivers in a later turn and as a copy, so that both ends may use their bytes again', async () => {
    const { wire, read, heard } = connected();
    const bytes = Buffer.from('to worker');
    wire.write(bytes, () => bytes.fill('x'));
    const answer = Buffer.from('to host');
    wire.farSocket.write(answer, () => answer.fill('x'));
    expect([read, heard]).toEqual([[], []]);
    await turn();
    expect([read, heard]).toEqual([['to worker'], ['to host']]);
  });

  it('keeps what is written while nobody reads, says when that is too much, and when there is room again', async () => {
    const { wire, read } = connected();
    wire.setReading(false);
    expect(wire.write(Buffer.from('first'))).toBe(true);
    expect(wire.write(Buffer.alloc(300_000))).toBe(false);
    await turn();
    expect(read).toEqual([]);
    const drained = once(wire, 'drain');
    wire.setReading(true);
    await drained;
    expect(read.map((text) => text.length)).toEqual([5, 300_000]);
    expect(wire.write(Buffer.from('next'))).toBe(true);
  });

  it('delivers what was said before the worker hung up, then the end, and nothing that comes later', async () => {
    const { wire, heard, read } = connected();
    wire.farSocket.write(Buffer.from('last words'), () => {});
    const ended = once(wire, 'end');
    const gone = new Promise<void>((resolve) => wire.hangUp(resolve));
    wire.farSocket.write(Buffer.from('from beyond'), () => {});
    wire.write(Buffer.from('are you there?'));
    await Promise.all([ended, gone]);
    await turn();
    expect(heard).toEqual(['last words']);
    expect(read).toEqual([]);
  });

  it('tells both ends that the host has closed it', async () => {
    const { wire, read, heard, isClosed } = connected();
    const closed = once(wire, 'close');
    wire.write(Buffer.from('too late'));
    wire.farSocket.write(Buffer.from('too late'), () => {});
    wire.destroy();
    await closed;
    expect(isClosed()).toBe(true);
    expect([read, heard]).toEqual([[], []]);
  });
});
