import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CancelReason, Kind } from 'nestjs-snakepit/codec';

import { fixture, WorkerProcess, type Frame } from './worker-process.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const traceparent = `00-${TRACE_ID}-${PARENT_ID}-01`;
const sampled = { trace: { traceparent } };
const unsampled = { trace: { traceparent: traceparent.replace(/1$/, '0') } };

interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly kind?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly events?: readonly { name: string; time: number; attributes: Readonly<Record<string, unknown>> }[];
  readonly error?: string;
}

describe('spans of a Node worker', () => {
  let worker: WorkerProcess;

  beforeAll(async () => {
    worker = await new WorkerProcess('json', fixture('spans.mjs')).start();
  });
  beforeEach(() => {
    worker.frames.length = 0;
  });
  afterAll(() => worker.kill());

  const batches = (): { spans: SpanRecord[]; dropped?: number }[] =>
    (worker.of(Kind.EVENT) as { name: string; data: { spans: SpanRecord[] } }[]).map(({ name, data }) => {
      expect(name).toBe('snakepit.spans');
      return data;
    });
  const byName = (): Record<string, SpanRecord> =>
    Object.fromEntries(batches().flatMap(({ spans }) => spans.map((span) => [span.name, span])));

  it('begin with one of the command, below the caller’s', async () => {
    expect(await worker.call('plain', { a: 5 }, { meta: sampled })).toMatchObject({ value: 5 });
    const span = byName()['snakepit plain']!;
    expect(span).toMatchObject({ traceId: TRACE_ID, parentId: PARENT_ID, kind: 'server' });
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(span.start).toBeLessThanOrEqual(span.end);
    expect(Math.abs(span.end / 1_000 - Date.now())).toBeLessThan(60_000);
    expect(span).not.toHaveProperty('error');
  });

  it('are not recorded for calls that are not sampled', async () => {
    const { trace } = unsampled;
    expect(await worker.call('load', null, { meta: unsampled })).toMatchObject({
      value: [trace.traceparent, trace.traceparent, null],
    });
    expect(await worker.call('load', null)).toMatchObject({ value: [null, null, null] });
    expect(batches()).toEqual([]);
  });

  it('nest, and carry attributes and events', async () => {
    const { value } = await worker.call('load', null, { meta: sampled });
    const { outer, inner, 'snakepit load': root } = byName();
    expect(outer).toMatchObject({ parentId: root!.spanId, attributes: { rows: 3, odd: 'Symbol(x)' } });
    expect(outer!.attributes).toEqual({ rows: 3, odd: 'Symbol(x)', big: String(2n ** 70n) });
    expect(inner).toMatchObject({
      parentId: outer!.spanId,
      attributes: { name: 'x', mixed: ['1', 'a'], list: [1, 2.5] },
      events: [{ name: 'hit', attributes: { key: 'k' } }],
    });
    expect(outer!.events).toMatchObject([{ name: 'late' }]);
    expect(value).toEqual([traceparent, ...Array(2).fill(`00-${TRACE_ID}-${outer!.spanId}-01`)]);
    expect(batches()).toHaveLength(1);
  });

  it('record what is thrown out of them', async () => {
    expect(await worker.call('fail', null, { meta: sampled })).toMatchObject({ kind: Kind.ERROR });
    for (const name of ['part', 'snakepit fail']) {
      const { error, events } = byName()[name]!;
      expect(error).toMatch(/^RangeError: no .$/);
      expect(events?.at(-1)).toMatchObject({ name: 'exception', attributes: { 'exception.type': 'RangeError' } });
    }
  });

  it('are bounded in number and size, and what was left out is told', async () => {
    await worker.call('many', { count: 300 }, { meta: sampled });
    expect(Object.keys(byName())).toHaveLength(257);
    expect(batches().at(-1)).toMatchObject({ dropped: 44 });
    worker.frames.length = 0;
    await worker.call('large', null, { meta: sampled });
    expect(byName()).toHaveProperty('snakepit large');
    expect(JSON.stringify(batches()).length).toBeLessThan(300_000);
    expect(batches().at(-1)!.dropped).toBeGreaterThan(30);
  });

  it('do not mix where promises run side by side', async () => {
    await worker.call('gather', null, { meta: sampled });
    const spans = byName();
    for (const name of ['a', 'b']) {
      expect(spans[name]!.parentId).toBe(spans['main']!.spanId);
      expect(spans[`${name} inner`]!.parentId).toBe(spans[name]!.spanId);
    }
  });

  it('are one for a stream, with those of its body below', async () => {
    await worker.call('walk', { count: 3 }, { meta: sampled, stream: true });
    const { 'snakepit walk': root, ...items } = byName();
    expect(Object.keys(items)).toEqual(['item 0', 'item 1', 'item 2']);
    expect(Object.values(items).map(({ parentId }) => parentId)).toEqual(Array(3).fill(root!.spanId));
  });

  it('are named in what is asked of the host', async () => {
    worker.onHostCall = ({ id }: Frame) => worker.send(Kind.HOST_RESULT, 0, id, { found: true, value: 7, revision: 1 });
    const trace = { traceparent, tracestate: 'a=b' };
    expect(await worker.call('ask', null, { meta: { trace } })).toMatchObject({ value: 7 });
    const asked = { traceparent: `00-${TRACE_ID}-${byName()['asking']!.spanId}-01`, tracestate: 'a=b' };
    expect(worker.of(Kind.HOST_CALL)).toMatchObject([{ method: 'session.read', trace: asked }]);
    worker.frames.length = 0;
    await worker.call('ask', null, { meta: unsampled });
    expect(worker.of(Kind.HOST_CALL)[0]).not.toHaveProperty('trace');
  });

  it('tell of a call that was cancelled, which is no failure', async () => {
    const id = worker.write('forever', null, { meta: sampled, id: 4_000 });
    worker.flush();
    expect(await worker.call('plain', { a: 1 })).toMatchObject({ value: 1 });
    worker.send(Kind.CANCEL, CancelReason.CALLER, id);
    await worker.ending(id);
    const span = byName()['snakepit forever']!;
    expect(span.events).toMatchObject([{ name: 'cancelled' }]);
    expect(span).not.toHaveProperty('error');
  });

  it('keep their name: events of the protocol cannot be emitted', async () => {
    const { value } = await worker.call('reserved', null, { meta: sampled });
    expect(value).toMatchObject({
      code: 'REMOTE_ERROR',
      message: expect.stringContaining("the library's own") as string,
    });
  });
});
