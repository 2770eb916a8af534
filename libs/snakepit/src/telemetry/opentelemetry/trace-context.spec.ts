import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';

import { remoteContext, toSpanContext, toTraceContext } from './trace-context.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

describe('trace context', () => {
  it.each([0, 1, 255])('goes to words and back, with the flags %i', (traceFlags) => {
    const words = toTraceContext({ traceId, spanId, traceFlags });
    expect(words.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
    expect(toSpanContext(words)).toEqual({ traceId, spanId, traceFlags, isRemote: true });
  });

  it('keeps the state of vendors', () => {
    const words = { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'a=1,b=2' };
    expect(toTraceContext(toSpanContext(words)!)).toEqual(words);
  });

  it.each(['', 'nonsense', `00-${'0'.repeat(32)}-${spanId}-01`, `00-${traceId}-${'0'.repeat(16)}-01`])(
    'is none where %j makes no sense',
    (traceparent) => {
      expect(toSpanContext({ traceparent })).toBeUndefined();
      expect(trace.getSpan(remoteContext({ traceparent }))).toBeUndefined();
    },
  );

  it('is the root where there is none', () => {
    expect(remoteContext(undefined)).toBe(ROOT_CONTEXT);
  });
});
