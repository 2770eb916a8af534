import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const BRIDGE = fileURLToPath(new URL('../../bridges/go', import.meta.url));
const TIMEOUT_MS = 300_000;

/** What `go` prints; fails with all of it. */
async function go(...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('go', args, { cwd: BRIDGE });
    return stdout;
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    throw new Error(stdout + stderr, { cause });
  }
}

describe('the Go SDK', () => {
  it(
    'passes its own tests, those of its fuzzers on the vectors included, and go vet',
    async () => {
      await go('vet', './...');
      const report = await go('test', '-count=1', './...');
      for (const name of ['snakepit', 'snakepit/internal/codec', 'snakepit/internal/frame']) {
        expect(report).toMatch(new RegExp(`^ok\\s+nestjs-snakepit/${name}\\s`, 'm'));
      }
    },
    TIMEOUT_MS,
  );

  it('has no dependencies, so that workers are built without a network', async () => {
    expect((await go('list', '-m', 'all')).trim()).toBe('nestjs-snakepit/snakepit');
  });
});
