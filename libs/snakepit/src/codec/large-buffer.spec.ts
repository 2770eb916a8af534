import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

import { allocateBuffer } from './large-buffer.js';

const MB = 2 ** 20;
const BUILT = fileURLToPath(new URL('../../dist/codec/large-buffer.js', import.meta.url));

const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };

describe('a large buffer', () => {
  it.each([0, 1, 200_000, 40 * MB])('has memory of its own (%i bytes)', (bytes) => {
    const buffer = allocateBuffer(bytes);
    expect([buffer.length, buffer.byteOffset, buffer.buffer.byteLength]).toEqual([bytes, 0, bytes]);
  });

  it.runIf(header.glibcVersionRuntime)('is made of pages that a collected one has left', async () => {
    // 16 MB have 4096 pages. Buffers are freed some time after they are collected, by another thread: the best of many rounds counts.
    const script = `
      import { allocateBuffer } from '${BUILT}';
      let least = Infinity;
      for (let round = 0; round < 20; round += 1) {
        const before = process.resourceUsage().minorPageFault;
        for (let count = 0; count < 16; count += 1) allocateBuffer(${MB}).fill(1);
        least = Math.min(least, process.resourceUsage().minorPageFault - before);
        gc();
        await new Promise(setImmediate);
      }
      console.log(least);`;
    const args = ['--expose-gc', '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(Number(stdout)).toBeLessThan(1_000);
  });
});
