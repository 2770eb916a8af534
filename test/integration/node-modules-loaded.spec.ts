import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createSnakepit, node, type NodeOptions } from 'nestjs-snakepit/core';
import { describe, expect, it } from 'vitest';

import { useScratch } from '../support/records.js';

const MODULE = fileURLToPath(new URL('../fixtures/contract/commands.js', import.meta.url));

/** The paths of all scripts that a worker loaded from its start to its end, by V8's own report. */
async function scriptsOf(folder: string, options: Partial<NodeOptions>): Promise<string[]> {
  const adapter = node({ module: MODULE, ...options });
  const snakepit = await createSnakepit({ adapter, size: 1, env: { NODE_V8_COVERAGE: folder } });
  await snakepit.pool().execute('add', { a: 1, b: 2 });
  await snakepit.close();
  // A report for each thread.
  return readdirSync(folder).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] };
    return result.flatMap(({ url }) => (url.startsWith('file:') ? fileURLToPath(url) : []));
  });
}

describe('a Node worker', () => {
  const scratch = useScratch();

  it.each<[string, Partial<NodeOptions>, { grpc: boolean; v1: boolean; v2: boolean }]>([
    ['v1', { protocol: 'v1' }, { grpc: false, v1: true, v2: false }],
    ['v2', {}, { grpc: false, v1: false, v2: true }],
    ['gRPC', { transport: 'grpc' }, { grpc: true, v1: false, v2: false }],
  ])('over %s loads what serves that, and not what serves others', async (_, options, expected) => {
    const scripts = await scriptsOf(scratch(), options);
    const isLoaded = (pattern: RegExp): boolean => scripts.some((path) => pattern.test(path));
    expect({
      grpc: isLoaded(/grpc/),
      v1: isLoaded(/stdio-worker\.js$/),
      v2: isLoaded(/socket-worker\.js$/),
    }).toEqual(expected);
  });
});
