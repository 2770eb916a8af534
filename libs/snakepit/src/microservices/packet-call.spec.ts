import { describe, expect, it } from 'vitest';

import { resolveOptions } from '../core/index.js';
import { clientOptionTable } from './client.options.js';
import { packetCallOf } from './packet-call.js';
import { SnakepitRecordBuilder } from './snakepit.record-builder.js';

const options = resolveOptions(clientOptionTable, { timeoutMs: 5, priority: 'low' });
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('packetCallOf', () => {
  it.each(['add', { cmd: 'add' }])('takes %j for the name of a command', (pattern) => {
    const call = packetCallOf({ pattern, data: [1, 2] }, options);
    expect(call).toEqual({ command: 'add', args: [1, 2], options: { timeoutMs: 5, priority: 'low' } });
  });

  it.each(['', 5, {}, { cmd: 5 }, { cmd: 'add', version: 2 }, ['add']])('refuses the pattern %j', (pattern) => {
    expect(() => packetCallOf({ pattern, data: {} }, options)).toThrow(
      /give the name of a command, or \{ cmd: name \}/,
    );
  });

  it('lets options of a record win over those of the client', () => {
    const record = new SnakepitRecordBuilder<object>().setData({ a: 1 }).setOptions({ timeoutMs: 9, session: 's' });
    expect(packetCallOf({ pattern: 'add', data: record.build() }, options)).toMatchObject({
      args: { a: 1 },
      options: { timeoutMs: 9, priority: 'low', session: 's' },
    });
  });

  it('reads a trace and a context out of the metadata, where the record says nothing else', () => {
    const metadata = { traceparent, tracestate: 'a=1', tenant: 'a', language: 'en' };
    expect(packetCallOf({ pattern: 'add', data: {}, metadata }, options).options).toMatchObject({
      trace: { traceparent, tracestate: 'a=1' },
      context: { tenant: 'a', language: 'en' },
    });
    const trace = { traceparent: traceparent.replace('01', '00') };
    const data = new SnakepitRecordBuilder({}).setOptions({ trace, context: { tenant: 'b' } }).build();
    expect(packetCallOf({ pattern: 'add', data, metadata }, options).options).toMatchObject({
      trace,
      context: { tenant: 'b', language: 'en' },
    });
  });
});
