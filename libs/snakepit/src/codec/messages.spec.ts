import { describe, expect, it } from 'vitest';

import {
  ByteWriter,
  createCodec,
  EncodeError,
  encodeHello,
  encodeV1Reply,
  encodeV1Request,
  HEADER_BYTES,
  parseCallMeta,
  parseErrorBody,
  parseEventBody,
  parseHostCallBody,
  parseHostHello,
  parseLogBody,
  parseNegotiationReply,
  parseNegotiationRequest,
  parseV1Reply,
  parseV1Request,
  parseWorkerHello,
  ProtocolViolation,
} from './index.js';

const workerHello = {
  protocol: 2,
  codec: 'json',
  language: 'node',
  runtime: { name: 'Node.js', version: '20' },
  sdk: { name: 'sdk', version: '1' },
  pid: 5,
  commands: [{ name: 'a', kind: 'call' }],
} as const;

const hostHello = {
  protocol: [2],
  codecs: ['msgpack', 'json'],
  maxFrameBytes: 1000,
  maxDepth: 10,
  streamCredit: 4,
  workerId: 'w-1',
  pool: 'w',
} as const;

function parse<Value>(parser: (bytes: Buffer, start: number, end: number) => Value, value: unknown): Value {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return parser(bytes, 0, bytes.length);
}

describe('hellos', () => {
  it('come back as they were sent, without members that are unknown', () => {
    const out = new ByteWriter();
    encodeHello({ ...workerHello, more: 1 } as typeof workerHello, out);
    const bytes = out.take();
    expect(parseWorkerHello(bytes, HEADER_BYTES, bytes.length)).toEqual(workerHello);
    expect(parse(parseHostHello, { ...hostHello, more: 1 })).toEqual(hostHello);
  });

  it('drop codecs that are unknown here', () => {
    expect(parse(parseHostHello, { ...hostHello, codecs: ['cbor', 'json'] }).codecs).toEqual(['json']);
  });

  it('may tell why the worker cannot start', () => {
    const error = { code: 'REMOTE_ERROR', message: 'no module' };
    expect(parse(parseWorkerHello, { error })).toEqual({ error });
  });

  it.each([
    ['nothing', '', /not JSON/],
    ['a list', [], /hello is not a map/],
    ['another protocol', { ...workerHello, protocol: 3 }, /hello\.protocol is 3; expected 2/],
    ['an unknown codec', { ...workerHello, codec: 'cbor' }, /hello\.codec is "cbor"; expected one of msgpack, json/],
    ['no pid', { ...workerHello, pid: undefined }, /hello\.pid is missing/],
    ['a runtime without version', { ...workerHello, runtime: { name: 'x' } }, /hello\.runtime\.version is missing/],
    ['no manifest', { ...workerHello, commands: {} }, /hello\.commands is a map; expected a list/],
    ['a command without a name', { ...workerHello, commands: [{ kind: 'call' }] }, /hello\.commands\[0\]\.name/],
    ['an unknown kind', { ...workerHello, commands: [{ name: 'a', kind: 'x' }] }, /commands\[0\]\.kind is "x"/],
    ['a schema of text', { ...workerHello, commands: [{ name: 'a', kind: 'call', schema: 'x' }] }, /schema/],
    ['a name twice', { ...workerHello, commands: [...workerHello.commands, ...workerHello.commands] }, /'a' twice/],
  ])('of a worker are refused with %s', (_, hello, message) => {
    expect(() => parse(parseWorkerHello, hello)).toThrow(ProtocolViolation);
    expect(() => parse(parseWorkerHello, hello)).toThrow(message);
  });
});

describe('bodies', () => {
  it('of errors are read however they look', () => {
    const full = { code: 'REMOTE_ERROR', message: 'm', type: 'T', traceback: 't', data: { a: 1 }, started: false };
    expect(parseErrorBody(full)).toEqual(full);
    expect(parseErrorBody({ code: 5, data: null, type: [] })).toEqual({
      code: 'REMOTE_ERROR',
      message: 'the worker gave no reason',
    });
    for (const odd of [null, undefined, 5, [], new Date(), 'text'])
      expect(parseErrorBody(odd).code).toBe('REMOTE_ERROR');
    expect(parseErrorBody('text').message).toBe('text');
  });

  it('of log records, events, host calls and meta are read', () => {
    expect(parseLogBody({ level: 'warn', message: 'm', fields: { a: 1 } })).toEqual({
      level: 'warn',
      message: 'm',
      fields: { a: 1 },
    });
    expect(parseLogBody({ level: 'loud', message: 5n })).toEqual({ level: 'info', message: '5' });
    expect(parseLogBody(['x'])).toEqual({ level: 'info', message: '["x"]' });
    expect(parseEventBody({ name: 'n' })).toEqual({ name: 'n', data: null });
    expect(parseEventBody({})).toBeUndefined();
    expect(parseHostCallBody({ method: 'm', args: { a: 1 }, call: 7 })).toEqual({
      method: 'm',
      args: { a: 1 },
      call: 7,
    });
    expect(parseHostCallBody([])).toBeUndefined();
    expect(parseCallMeta({ session: 's', context: { a: 'b', c: 1 }, other: 1, trace: 5 })).toEqual({
      session: 's',
      context: { a: 'b' },
    });
  });
});

describe('protocol v1', () => {
  const codec = createCodec('json', { maxDepth: 2 }, { plainJson: true });
  const read = (bytes: Buffer): unknown => codec.decode(bytes, 4, bytes.length, 0);

  it('carries requests and replies', () => {
    const out = new ByteWriter();
    const length = encodeV1Request(codec, { id: 1, command: 'add', args: { a: [1] } }, '2026-01-31T12:00:00.000Z', out);
    const request = out.take();
    expect(request.readUInt32BE()).toBe(length);
    expect(read(request)).toHaveProperty('timestamp', '2026-01-31T12:00:00.000Z');
    expect(parseV1Request(read(request))).toEqual({ id: 1, command: 'add', args: { a: [1] } });
    const details = { code: 'REMOTE_ERROR', message: 'm', type: 'T' };
    const replies = [
      { id: 1, success: true, result: null },
      { id: 2, success: false, message: 'm', details },
      { id: 3, success: false, message: 'm' },
    ] as const;
    for (const reply of replies) {
      encodeV1Reply(codec, reply, 'now', out);
      expect(parseV1Reply(read(out.take()))).toEqual(reply);
    }
  });

  it('names the argument that cannot be sent', () => {
    const request = { id: 1, command: 'add', args: { a: [new Date(0)] } };
    const encode = (): unknown => encodeV1Request(codec, request, 'now', new ByteWriter());
    expect(encode).toThrow(EncodeError);
    expect(encode).toThrow(/^args\.a\[0\]: is a time, which plain JSON cannot carry/);
  });

  it.each([[null], [[]], [{}], [{ id: 1 }], [{ id: '1', success: true }], [{ id: 1, success: 'yes' }]])(
    'refuses %j as a reply',
    (value) => {
      expect(() => parseV1Reply(value)).toThrow(ProtocolViolation);
    },
  );

  it('takes any error for a text, as older bridges send it', () => {
    expect(parseV1Reply({ id: 1, success: false, error: { code: 5 } })).toMatchObject({ message: '{"code":5}' });
    expect(parseV1Reply({ id: 1, success: false })).toMatchObject({ message: 'the worker gave no reason' });
  });

  it('takes any answer but a selection for no negotiation', () => {
    expect(parse(parseNegotiationReply, { type: 'protocol_selected', protocol: 'msgpack' })).toBe('msgpack');
    expect(parse(parseNegotiationReply, { type: 'protocol_selected', protocol: 'cbor' })).toBeUndefined();
    expect(parse(parseNegotiationReply, { id: null, success: false, error: 'unknown' })).toBeUndefined();
    expect(parse(parseNegotiationReply, 'garbage')).toBeUndefined();
    expect(parse(parseNegotiationRequest, { type: 'protocol_negotiation', supported: ['json', 'msgpack'] })).toEqual([
      'json',
      'msgpack',
    ]);
    expect(parse(parseNegotiationRequest, { id: 1, command: 'ping' })).toBeUndefined();
  });
});
