import { fileURLToPath } from 'node:url';

import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace-base';
import { node, python, type ProcessAdapter } from 'nestjs-snakepit/core';
import { SnakepitIdGenerator } from 'nestjs-snakepit/opentelemetry';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';

const pathOf = (name: string): string => fileURLToPath(new URL(`../fixtures/telemetry/${name}`, import.meta.url));

/** Workers of each language and transport, which serve `fixtures/telemetry/commands`. */
export const FOLLOWED: readonly (readonly [string, () => ProcessAdapter])[] = (['fd', 'grpc'] as const).flatMap(
  (transport) => [
    [
      `Python over ${transport}`,
      () => python({ module: pathOf('commands.py'), transport, path: [inject('pythonPackages')] }),
    ] as const,
    [`Node over ${transport}`, () => node({ module: pathOf('commands.js'), transport })] as const,
  ],
);

export interface Tracing {
  readonly provider: BasicTracerProvider;
  readonly exporter: InMemorySpanExporter;
  /** The spans that have ended, by name; of several with one name, in order. */
  spans(): Readonly<Record<string, readonly ReadableSpan[]>>;
  /** The only one of this name. */
  span(name: string): ReadableSpan;
}

/** A real SDK whose spans can be read, and a context manager, for the tests of a block. */
export function useTracing(sampler?: Sampler): Tracing {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    idGenerator: new SnakepitIdGenerator(),
    ...(sampler && { sampler }),
  });
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });
  beforeEach(() => exporter.reset());
  afterAll(async () => {
    context.disable();
    await provider.shutdown();
  });
  const spans = (): Record<string, ReadableSpan[]> => {
    const byName: Record<string, ReadableSpan[]> = {};
    for (const span of exporter.getFinishedSpans()) (byName[span.name] ??= []).push(span);
    return byName;
  };
  return {
    provider,
    exporter,
    spans,
    span(name) {
      const found = spans()[name] ?? [];
      if (found.length === 1) return found[0]!;
      throw new Error(`${found.length} spans are named '${name}'; there are ${Object.keys(spans()).join(', ')}`);
    },
  };
}

/** The parent that a span names must be this one, and both of one trace. */
export function isChildOf(child: ReadableSpan, parent: ReadableSpan): boolean {
  const { traceId, spanId } = parent.spanContext();
  return child.spanContext().traceId === traceId && child.parentSpanContext?.spanId === spanId;
}
