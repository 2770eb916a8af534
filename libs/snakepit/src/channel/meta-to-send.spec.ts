import { describe, expect, it } from 'vitest';

import { metaToSend } from './meta-to-send.js';

const traceOf = (flags: string) => ({
  traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-${flags}`,
  tracestate: 'a=1',
});

describe('metaToSend', () => {
  it.each(['00', '02', '0a'])('leaves out a trace with flags %s for a command that takes no context', (flags) => {
    expect(metaToSend({ trace: traceOf(flags) }, false)).toBeUndefined();
    expect(metaToSend({ trace: traceOf(flags) }, true)).toEqual({ trace: traceOf(flags) });
  });

  it.each(['01', '03', '0b'])('sends a trace with flags %s, which is sampled', (flags) => {
    expect(metaToSend({ trace: traceOf(flags) }, false)).toEqual({ trace: traceOf(flags) });
  });

  it('sends everything where there is more to say', () => {
    const trace = traceOf('00');
    for (const meta of [
      { trace, session: 's' },
      { trace, context: { tenant: 't' } },
      { trace, batch: true } as const,
    ]) {
      expect(metaToSend(meta, false)).toBe(meta);
    }
    expect(metaToSend(undefined, false)).toBeUndefined();
  });
});
