import { describe, expect, it } from 'vitest';

import { SnakepitIdGenerator, withSpanId } from './id-generator.js';

describe('SnakepitIdGenerator', () => {
  it('makes random ids of the right length', () => {
    const ids = new SnakepitIdGenerator();
    expect(ids.generateTraceId()).toMatch(/^[0-9a-f]{32}$/);
    expect(ids.generateSpanId()).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(Array.from({ length: 1_000 }, ids.generateSpanId)).size).toBe(1_000);
  });

  it('gives a chosen id to the span that is being started, once', () => {
    const ids = new SnakepitIdGenerator({ generateTraceId: () => 'trace', generateSpanId: () => 'other' });
    expect(withSpanId('chosen', () => [ids.generateSpanId(), ids.generateSpanId()])).toEqual(['chosen', 'other']);
    withSpanId('chosen', () => undefined);
    expect([ids.generateTraceId(), ids.generateSpanId()]).toEqual(['trace', 'other']);
  });
});
