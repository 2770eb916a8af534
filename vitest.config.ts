import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

import LongestFirst from './test/setup/longest-first.js';

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests run the library's sources, so a change needs no build to be seen. */
const entryPoints = {
  'nestjs-snakepit': 'libs/snakepit/src/nest/index.ts',
  'nestjs-snakepit/core': 'libs/snakepit/src/runtime/index.ts',
  'nestjs-snakepit/codec': 'libs/snakepit/src/codec/index.ts',
  'nestjs-snakepit/codec/grpc': 'libs/snakepit/src/codec/grpc/index.ts',
  'nestjs-snakepit/health': 'libs/snakepit/src/health/index.ts',
  'nestjs-snakepit/testing': 'libs/snakepit/src/testing/index.ts',
  'nestjs-snakepit/opentelemetry': 'libs/snakepit/src/telemetry/opentelemetry/index.ts',
  'nestjs-snakepit/microservices': 'libs/snakepit/src/microservices/index.ts',
  'nestjs-snakepit/metrics': 'libs/snakepit/src/metrics/index.ts',
  'nestjs-snakepit/core/metrics': 'libs/snakepit/src/metrics/core.ts',
  'nestjs-snakepit/worker': 'bridges/node/src/index.ts',
};

export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: {
    alias: Object.entries(entryPoints).map(([name, path]) => ({
      find: new RegExp(`^${name}$`),
      replacement: fromHere(path),
    })),
  },
  test: {
    include: ['libs/**/src/**/*.spec.ts', 'bridges/node/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/setup/python-packages.ts', 'test/setup/runtimes.ts', 'test/setup/temporary-folders.ts'],
    setupFiles: ['test/setup/own-folder.ts'],
    sequence: { sequencer: LongestFirst },
    pool: 'forks',
    // Most of them wait for processes of their own.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // A test that has to be repeated is wrong, or what it tests is. Where others use the CPUs too, one in thousands may still meet a pause.
    retry: process.env['CI'] === undefined ? 0 : 1,
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
