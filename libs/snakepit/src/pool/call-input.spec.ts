import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { CallInput, InputFailure } from './call-input.js';
import type { InputSource } from './input-source.js';

function opened(source: InputSource): { input: CallInput; failures: InputFailure[] } {
  const failures: InputFailure[] = [];
  const input = new CallInput(source);
  input.open((failure) => failures.push(failure));
  return { input, failures };
}

const text = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString();

describe('CallInput', () => {
  it('cuts chunks that are larger than what was asked for, and goes on without empty ones', async () => {
    const { input } = opened(Readable.from([Buffer.from('abcdef'), Buffer.alloc(0), new Uint16Array([0x4141]), 'é']));
    const read = [];
    for (;;) {
      const bytes = await input.read(4);
      read.push(text(bytes));
      if (bytes === null) break;
    }
    expect(read).toEqual(['abcd', 'ef', 'AA', 'é', null]);
    expect(await input.read(4)).toBeNull();
  });

  it('has one reader at a time', async () => {
    const source = new PassThrough();
    const { input, failures } = opened(source);
    const first = input.read(10);
    await expect(input.read(10)).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
    source.write('late');
    expect(text(await first)).toBe('late');
    source.end('r');
    expect(text(await input.read(10))).toBe('r');
    expect(failures).toEqual([]);
  });

  it('remembers whether it was read, not whether it was opened', async () => {
    const { input } = opened(Readable.from(['a']));
    expect(input.hasBeenRead).toBe(false);
    await input.read(1);
    expect(input.hasBeenRead).toBe(true);
  });

  it('ends a read that waits when the call is over, and refuses later ones', async () => {
    const source = new PassThrough();
    const { input, failures } = opened(source);
    const read = input.read(10);
    input.close();
    await expect(read).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(input.read(10)).rejects.toMatchObject({ code: 'CANCELLED' });
    await new Promise((resolve) => source.once('close', resolve));
    expect(failures).toEqual([]);
  });

  it('tells of a stream that breaks while nobody reads it, once', async () => {
    const source = new PassThrough();
    const { input, failures } = opened(source);
    const cause = new Error('gone');
    source.destroy(cause);
    await new Promise((resolve) => source.once('close', resolve));
    await expect(input.read(1)).rejects.toMatchObject({ cause });
    expect(failures.map((failure) => failure.cause)).toContain(cause);
    expect(new Set(failures).size).toBe(1);
  });

  it.each([
    ['a web stream that is aborted', Object.assign(new Error('no'), { name: 'AbortError' }), 'CANCELLED'],
    ['a request that breaks off', Object.assign(new Error('aborted'), { code: 'ECONNRESET' }), 'CANCELLED'],
    ['a file that cannot be read', Object.assign(new Error('i/o error'), { code: 'EIO' }), 'INPUT_FAILED'],
    ['what throws something else', 'no error', 'INPUT_FAILED'],
  ])('is to its call, where it is %s, as it should be', (_, cause, code) => {
    const error = new InputFailure(cause).toError('add', 'default', 'not-started');
    expect(error).toMatchObject({ code, cause, delivery: 'not-started' });
  });

  it('lets an iterator clean up', async () => {
    let isClean = false;
    const source = (async function* () {
      try {
        yield 'a';
        yield 'b';
      } finally {
        isClean = true;
      }
    })();
    const { input } = opened(source);
    await input.read(1);
    input.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClean).toBe(true);
  });
});
