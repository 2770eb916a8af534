import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  SamplingDecision,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createSnakepit, type Snakepit } from 'nestjs-snakepit/core';
import { SnakepitInstrumentation } from 'nestjs-snakepit/opentelemetry';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { FOLLOWED, isChildOf, useTracing } from '../support/telemetry.js';
import { waitUntil } from '../support/wait-until.js';

const REMOTE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';

describe.each(FOLLOWED)('the spans of calls to %s', (name, adapter) => {
  const tracing = useTracing();
  let snakepit: Snakepit;
  let prices: (sku: unknown) => Promise<unknown>;

  beforeAll(async () => {
    snakepit = await createSnakepit({ adapter: adapter(), size: 2, cancelGraceMs: 200 });
    new SnakepitInstrumentation({ tracerProvider: tracing.provider }).instrument(snakepit);
    snakepit.hostMethods.register('shop', ({ args }) => prices((args as { sku: unknown }).sku));
  });
  afterAll(() => snakepit?.close());

  /** A worker may end what was given up after the caller has been told. */
  const bothOf = (command: string) =>
    waitUntil(`both spans of ${command}`, () => {
      const both = ofKinds(tracing.spans()[`snakepit ${command}`]);
      return both.every((span) => span !== undefined) && both;
    });

  it('are two: of the call here, and below it of the command there', async () => {
    expect(await snakepit.pool().execute('double', { value: 4 }, { session: 's-1' })).toBe(8);
    const [here, there] = [...tracing.exporter.getFinishedSpans()].toSorted((a, b) => a.kind - b.kind).toReversed();
    expect(here).toMatchObject({
      name: 'snakepit double',
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'rpc.system': 'snakepit',
        'rpc.method': 'double',
        'snakepit.pool': 'default',
        'snakepit.kind': 'call',
        'snakepit.session': 's-1',
        'snakepit.worker': expect.stringMatching(/^default-\d$/) as string,
      },
    });
    expect(here!.attributes['snakepit.queue_ms']).toBeGreaterThanOrEqual(0);
    expect(here!.attributes['snakepit.service_ms']).toBeGreaterThanOrEqual(0);
    expect(there).toMatchObject({ name: 'snakepit double', kind: SpanKind.SERVER });
    expect(there!.attributes['snakepit.worker']).toBe(here!.attributes['snakepit.worker']);
    expect(isChildOf(there!, here!)).toBe(true);
    expect(tracing.exporter.getFinishedSpans()).toHaveLength(2);
  });

  it.each(['quote', 'quote_later'])(
    'of %s reach from here through the worker to a tool and a nested call',
    async (command) => {
      prices = async () => snakepit.pool().execute('double', { value: 21 });
      const request = tracing.provider.getTracer('test').startSpan('GET /quote');
      const result = await context.with(trace.setSpan(ROOT_CONTEXT, request), () =>
        snakepit.pool().execute(command, { sku: 'a' }),
      );
      request.end();
      expect(result).toEqual({ sku: 'a', price: 42 });
      const [caller, worker] = ofKinds(tracing.spans()[`snakepit ${command}`]);
      const [nested, nestedWorker] = ofKinds(tracing.spans()['snakepit double']);
      const chain = [
        tracing.span('GET /quote'),
        caller,
        worker,
        tracing.span('price'),
        tracing.span('snakepit shop.price'),
        nested,
        nestedWorker,
      ];
      for (let at = 1; at < chain.length; at += 1)
        expect(isChildOf(chain[at]!, chain[at - 1]!), chain[at]!.name).toBe(true);
      expect(tracing.exporter.getFinishedSpans()).toHaveLength(chain.length);
      expect(tracing.span('price').attributes).toMatchObject({ sku: 'a' });
      expect(tracing.span('snakepit shop.price').kind).toBe(SpanKind.SERVER);
    },
  );

  it('have the times of the worker and the events that it noted', async () => {
    prices = async () => 7;
    const before = Date.now();
    await snakepit.pool().execute('quote', { sku: 'b' });
    const after = Date.now();
    const { startTime, endTime, events, attributes } = tracing.span('price');
    expect(attributes).toMatchObject({ sku: 'b', price: 7 });
    expect(events).toMatchObject([{ name: 'priced', attributes: { currency: 'EUR' } }]);
    const toMs = ([seconds, nanos]: readonly number[]): number => seconds! * 1_000 + nanos! / 1e6;
    expect(toMs(startTime)).toBeGreaterThanOrEqual(before - 2);
    expect(toMs(startTime)).toBeLessThanOrEqual(toMs(endTime));
    expect(toMs(endTime)).toBeLessThanOrEqual(after + 2);
  });

  it('tell of what was raised, here and there', async () => {
    await failureOf(snakepit.pool().execute('fail', { message: 'no such month' }));
    const type = name.startsWith('Python') ? 'ValueError' : 'RangeError';
    const [here, there] = ofKinds(tracing.spans()['snakepit fail']);
    for (const span of [here, there]) {
      expect(span!.status.code).toBe(SpanStatusCode.ERROR);
      expect(span!.status.message).toContain('no such month');
      expect(span!.events).toMatchObject([
        { name: 'exception', attributes: { 'exception.type': type, 'exception.message': 'no such month' } },
      ]);
    }
    expect(here!.attributes).toMatchObject({ 'error.type': 'REMOTE_ERROR', 'snakepit.delivery': 'ran' });
  });

  it('tell of calls that never came to a worker, and of those that ran out of time', async () => {
    await failureOf(snakepit.pool().execute('no_such_command'));
    await failureOf(snakepit.pool().execute('double', { f: () => 1 }));
    await failureOf(snakepit.pool().execute('wait', { seconds: 30 }, { timeoutMs: 1_000 }));
    await bothOf('wait');
    const codeOf = (command: string): unknown =>
      ofKinds(tracing.spans()[`snakepit ${command}`])[0]?.attributes['error.type'];
    expect(['no_such_command', 'double', 'wait'].map(codeOf)).toEqual([
      'UNKNOWN_COMMAND',
      'INVALID_ARGUMENTS',
      'CALL_TIMEOUT',
    ]);
  });

  it('do not call it a failure when the caller leaves', async () => {
    const leaving = new AbortController();
    const how = { signal: leaving.signal, onProgress: () => leaving.abort() };
    await failureOf(snakepit.pool().execute('wait', { seconds: 30 }, how));
    const [here] = await bothOf('wait');
    expect(here).toMatchObject({ status: { code: SpanStatusCode.UNSET }, attributes: { 'error.type': 'CANCELLED' } });
  });

  it('are one for a stream', async () => {
    expect(await lastValueFrom(snakepit.pool().stream('count', { to: 3 }).pipe(toArray()))).toEqual([0, 1, 2]);
    const [here, there] = ofKinds(tracing.spans()['snakepit count']);
    expect(here!.attributes).toMatchObject({ 'snakepit.kind': 'stream', 'snakepit.items': 3 });
    expect(isChildOf(there!, here!)).toBe(true);
    const items = tracing.spans()['item']!;
    expect(items.map(({ attributes }) => attributes['at'])).toEqual([0, 1, 2]);
    expect(items.every((item) => isChildOf(item, there!))).toBe(true);
    tracing.exporter.reset();
    expect(await firstValueFrom(snakepit.pool().stream('count', { to: 1_000 }))).toBe(0);
    await bothOf('count');
  });

  it('continue a trace that the caller names', async () => {
    const facts = await snakepit
      .pool()
      .execute('facts', null, { trace: { traceparent: `${REMOTE}-01`, tracestate: 'v=1' } });
    const [here, there] = ofKinds(tracing.spans()['snakepit facts']);
    expect(here!.spanContext().traceId).toBe(REMOTE.split('-')[1]);
    expect(here!.parentSpanContext).toMatchObject({ spanId: REMOTE.split('-')[2], isRemote: true });
    expect(facts).toMatchObject({
      trace: { traceparent: `00-${here!.spanContext().traceId}-${here!.spanContext().spanId}-01`, tracestate: 'v=1' },
      traceparent: `00-${there!.spanContext().traceId}-${there!.spanContext().spanId}-01`,
    });
  });

  it('are none below a span that is not sampled, which is propagated all the same', async () => {
    const parent = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: REMOTE.split('-')[1]!,
      spanId: REMOTE.split('-')[2]!,
      traceFlags: 0,
    });
    const call = () => snakepit.pool().execute('facts') as Promise<{ trace: unknown }>;
    for (let round = 0; round < 2; round += 1) {
      expect((await context.with(parent, call)).trace).toEqual({ traceparent: `${REMOTE}-00` });
    }
    prices = async () => (await call()).trace;
    const quoted = await context.with(parent, () => snakepit.pool().execute('quote', { sku: 'a' }));
    expect(quoted).toMatchObject({ price: { traceparent: `${REMOTE}-00` } });
    expect(tracing.exporter.getFinishedSpans()).toEqual([]);
  });
});

type Spans = ReturnType<ReturnType<typeof useTracing>['spans']>[string];

/** That of the call here, and that of the command in the worker. */
function ofKinds(spans: Spans = []) {
  return [SpanKind.CLIENT, SpanKind.SERVER].map((kind) => spans.find((span) => span.kind === kind)!);
}

describe('SnakepitInstrumentation', () => {
  const [, adapter] = FOLLOWED[1]!;
  const tracing = useTracing();
  const started = new Set<Snakepit>();
  const start = async (): Promise<Snakepit> => {
    const snakepit = await createSnakepit({ adapter: adapter(), size: 1 });
    started.add(snakepit);
    return snakepit;
  };
  afterAll(() => Promise.all([...started].map((each) => each.close())));

  it('asks the sampler for calls without a parent, and tells the worker what it said', async () => {
    const snakepit = await start();
    const tracerProvider = new BasicTracerProvider({ sampler: new AlwaysOffSampler() });
    new SnakepitInstrumentation({ tracerProvider }).instrument(snakepit);
    const { trace: told } = (await snakepit.pool().execute('facts')) as { trace: { traceparent: string } };
    expect(told.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('records below a span that is recorded though not sampled', async () => {
    const snakepit = await start();
    const exporter = new InMemorySpanExporter();
    const ended: string[] = [];
    const processor = Object.assign(new SimpleSpanProcessor(exporter), {
      onEnd: ({ name }: { name: string }) => void ended.push(name),
    });
    const sampler = { shouldSample: () => ({ decision: SamplingDecision.RECORD }), toString: () => 'record only' };
    const tracerProvider = new BasicTracerProvider({ sampler, spanProcessors: [processor] });
    new SnakepitInstrumentation({ tracerProvider }).instrument(snakepit);
    const parent = tracerProvider.getTracer('test').startSpan('parent');
    await context.with(trace.setSpan(ROOT_CONTEXT, parent), () => snakepit.pool().execute('facts'));
    expect(ended).toEqual(['snakepit facts']);
  });

  it('follows one Snakepit and no other, and only until it is told to stop', async () => {
    const [followed, other] = await Promise.all([start(), start()]);
    const stop = new SnakepitInstrumentation({ tracerProvider: tracing.provider }).instrument(followed!);
    expect(() => new SnakepitInstrumentation().instrument(followed!)).toThrow('traced already');
    await other!.pool().execute('double', { value: 1 });
    expect(tracing.exporter.getFinishedSpans()).toEqual([]);
    await followed!.pool().execute('double', { value: 1 });
    expect(tracing.exporter.getFinishedSpans()).toHaveLength(2);
    stop();
    expect(await followed!.pool().execute('facts')).toMatchObject({ trace: {} });
    expect(tracing.exporter.getFinishedSpans()).toHaveLength(2);
  });

  it('warns once, and drops the spans of workers, where the provider cannot keep their ids', async () => {
    const snakepit = await start();
    const exporter = new InMemorySpanExporter();
    const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    new SnakepitInstrumentation({ tracerProvider }).instrument(snakepit);
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    try {
      for (let round = 0; round < 2; round += 1) await snakepit.pool().execute('double', { value: 1 });
      expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringContaining('new SnakepitIdGenerator()')]);
    } finally {
      warn.mockRestore();
    }
    expect(exporter.getFinishedSpans().map(({ kind }) => kind)).toEqual([SpanKind.CLIENT, SpanKind.CLIENT]);
  });

  it('lets no call fail by what a span processor throws', async () => {
    const snakepit = await start();
    const exporter = new InMemorySpanExporter();
    const broken = Object.assign(new SimpleSpanProcessor(exporter), {
      onEnd: () => {
        throw new Error('the exporter is broken');
      },
    });
    const tracerProvider = new BasicTracerProvider({ spanProcessors: [broken] });
    new SnakepitInstrumentation({ tracerProvider }).instrument(snakepit);
    expect(await snakepit.pool().execute('double', { value: 4 })).toBe(8);
  });
});
