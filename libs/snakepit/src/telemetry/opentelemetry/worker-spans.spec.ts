import { SpanKind } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { beforeEach, describe, expect, it } from 'vitest';

import { SnakepitIdGenerator } from './id-generator.js';
import { recreateSpans } from './worker-spans.js';

const exporter = new InMemorySpanExporter();
const spanProcessors = [new SimpleSpanProcessor(exporter)];
const tracer = new BasicTracerProvider({ spanProcessors, idGenerator: new SnakepitIdGenerator() }).getTracer('test');
const source = { pool: 'reports', worker: 'reports-1' };

const recorded = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentId: '00f067aa0ba902b7',
  name: 'load',
  start: 1_700_000_000_000_001,
  end: 1_700_000_001_500_002,
};

function recreated(...spans: unknown[]) {
  expect(recreateSpans(tracer, source, { spans })).toBe(true);
  return exporter.getFinishedSpans();
}

describe('recreateSpans', () => {
  beforeEach(() => exporter.reset());

  it('keeps ids, parent, times, attributes, events and the failure', () => {
    const time = recorded.start + 5;
    const [span] = recreated({
      ...recorded,
      attributes: { rows: 3, list: [1, 2.5], nested: {}, mixed: [1, 'a'], 'snakepit.pool': 'forged' },
      events: [{ name: 'hit', time, attributes: { key: 'k' } }, { time }, 'nonsense'],
      error: 'ValueError: x',
    });
    expect(span).toMatchObject({
      name: 'load',
      kind: SpanKind.INTERNAL,
      parentSpanContext: { spanId: recorded.parentId, isRemote: false },
      startTime: [1_700_000_000, 1_000],
      endTime: [1_700_000_001, 500_002_000],
      attributes: { rows: 3, list: [1, 2.5], 'snakepit.pool': 'reports', 'snakepit.worker': 'reports-1' },
      events: [{ name: 'hit', time: [1_700_000_000, 6_000], attributes: { key: 'k' } }],
      status: { message: 'ValueError: x' },
    });
    expect(span!.spanContext()).toMatchObject({ traceId: recorded.traceId, spanId: recorded.spanId });
    expect(Object.keys(span!.attributes)).not.toContain('nested');
  });

  it('knows the span of a command, and what its call left out', () => {
    recreateSpans(tracer, source, { spans: [{ ...recorded, kind: 'server' }], dropped: 4 });
    expect(exporter.getFinishedSpans()).toMatchObject([
      { kind: SpanKind.SERVER, attributes: { 'rpc.system': 'snakepit', 'snakepit.dropped_spans': 4 } },
    ]);
  });

  it.each([
    ['no map', 'nonsense'],
    ['an id that is none', { ...recorded, spanId: 'B7AD6B7169203331' }],
    ['an id of zeros', { ...recorded, traceId: '0'.repeat(32) }],
    ['no parent', { ...recorded, parentId: undefined }],
    ['no name', { ...recorded, name: 5 }],
    ['no time', { ...recorded, start: 'now' }],
    ['a time that is none', { ...recorded, end: 1.5 }],
  ])('leaves out a span with %s and takes those beside it', (_, broken) => {
    expect(recreated(broken, { ...recorded, name: 'whole' }).map(({ name }) => name)).toEqual(['whole']);
  });

  it.each([undefined, null, 'x', {}, { spans: {} }])('takes no batch to be %o', (batch) => {
    expect(recreateSpans(tracer, source, batch)).toBe(true);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('bounds what a worker may make the host do', () => {
    const name = 'n'.repeat(10_000);
    const attributes = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, 'v'.repeat(100_000)]));
    const [first, ...others] = recreated(...Array.from({ length: 2_000 }, () => ({ ...recorded, name, attributes })));
    expect(first!.name).toHaveLength(256);
    expect(Object.keys(first!.attributes).length).toBeLessThanOrEqual(130);
    expect(first!.attributes['k0']).toHaveLength(32_768);
    expect(others).toHaveLength(1_023);
  });

  it('says so where the ids cannot be kept', () => {
    const other = new BasicTracerProvider({ spanProcessors }).getTracer('test');
    expect(recreateSpans(other, source, { spans: [recorded] })).toBe(false);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
