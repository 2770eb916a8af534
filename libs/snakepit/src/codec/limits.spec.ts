import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { toCallerError } from '../channel/remote-failure.js';
import { boundedText, describeValue } from './bounded-text.js';
import {
  ByteWriter,
  createCodec,
  Flag,
  MAX_ELEMENTS,
  parseErrorBody,
  parseLogBody,
  parseV1Reply,
  parseWorkerHello,
  ProtocolViolation,
  type CodecLimits,
} from './index.js';
import { decodeHostCall } from './grpc/generated/worker.js';

const LIMITS: CodecLimits = { maxDepth: 64, maxElements: 100 };

function msgpack(hex: string, limits = LIMITS): unknown {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return createCodec('msgpack', limits).decode(bytes, 0, bytes.length, 0);
}

function json(text: string, limits = LIMITS): unknown {
  const bytes = Buffer.from(text);
  return createCodec('json', limits).decode(bytes, 0, bytes.length, 0);
}

function tagged(text: string, attachments = '', limits = LIMITS): unknown {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(text), Buffer.from(attachments)]);
  bytes.writeUInt32BE(Buffer.byteLength(text));
  return createCodec('json', limits).decode(bytes, 0, bytes.length, Flag.TAGGED);
}

/** Bytes that a piece of work took, garbage included; the collector can only make it less. */
function allocatedBy(work: () => unknown): number {
  const before = process.memoryUsage();
  expect(work).toThrow(ProtocolViolation);
  const after = process.memoryUsage();
  return after.heapUsed - before.heapUsed + after.external - before.external;
}

describe('maxElements', () => {
  const maps = (count: number): string => `dc${count.toString(16).padStart(4, '0')}${'80'.repeat(count)}`;
  const bins = (count: number): string => `dc${count.toString(16).padStart(4, '0')}${'c400'.repeat(count)}`;

  it.each([
    ['MessagePack, empty maps', (count: number) => msgpack(maps(count)), 100],
    [
      'MessagePack, members',
      (count: number) => msgpack(`de${count.toString(16).padStart(4, '0')}${'a161c0'.repeat(count)}`),
      100,
    ],
    ['MessagePack, empty binary', (count: number) => msgpack(bins(count)), 25],
    ['JSON, lists', (count: number) => json(`[${'[],'.repeat(count - 1)}[]]`), 100],
    ['JSON, numbers', (count: number) => json(`[${'0,'.repeat(count - 1)}0]`), 100],
    [
      'JSON, members',
      (count: number) => json(`{${Array.from({ length: count }, (_, key) => `"${key}" : [ ]`).join()}}`),
      100,
    ],
    ['tagged JSON', (count: number) => tagged(`[${'{},'.repeat(count - 1)}{}]`), 100],
  ])('lets pass as many values as it says, and no more: %s', (_, read, most) => {
    expect(() => read(most)).not.toThrow();
    expect(() => read(most + 1)).toThrow(/more than maxElements \(100\) values/);
  });

  it('does not count what stands within strings', () => {
    expect(json(JSON.stringify(',[{\\"'.repeat(200)))).toHaveLength(1_000);
  });

  it('is by default what fits into a frame as numbers of eight bytes', () => {
    expect(MAX_ELEMENTS * 8).toBe(64 * 1024 * 1024);
  });

  it('is counted anew for each body', () => {
    const codec = createCodec('msgpack', LIMITS);
    const bytes = Buffer.from(maps(90), 'hex');
    for (let time = 0; time < 3; time += 1) expect(codec.decode(bytes, 0, bytes.length, 0)).toHaveLength(90);
  });
});

describe('memory', () => {
  it.each([
    ['array 32 of 4 Gi items', 'dd ffffffff'],
    ['map 32 of 4 Gi pairs', 'df ffffffff'],
    ['such arrays in one another', 'dd ffffffff'.repeat(60)],
    ['bin 32 of 4 GiB', 'c6 ffffffff'],
    ['str 32 of 4 GiB', 'db ffffffff'],
    ['ext 32 of 4 GiB', 'c9 ffffffff 02 0a'],
  ])('is not taken on the word of a length: %s', (_, hex) => {
    expect(allocatedBy(() => msgpack(hex, { maxDepth: 64 }))).toBeLessThan(512 * 1024);
  });

  it('is not taken many times for one attachment', () => {
    const attachment = 'x'.repeat(100_000);
    const text = `[${'{"$bin":[0,100000]},'.repeat(200)}0]`;
    expect(allocatedBy(() => tagged(text, attachment, { maxDepth: 64 }))).toBeLessThan(2 * 1024 * 1024);
    expect(tagged('[{"$bin":[0,2]},{"$bin":[2,2]}]', 'abcd')).toEqual([Buffer.from('ab'), Buffer.from('cd')]);
  });

  it('is not taken for the text of what a worker should have sent as text', () => {
    const binary = Buffer.alloc(1_000_000);
    expect(parseLogBody({ level: 'info', message: [binary, 2n ** 63n] }).message).toBe(
      `[<1000000 bytes>,${2n ** 63n}]`,
    );
    expect(parseLogBody(Array.from({ length: 100_000 }, () => 'text')).message.length).toBeLessThanOrEqual(4_096);
    expect(parseV1Reply({ id: 1, success: false, error: { code: 2n ** 60n } })).toMatchObject({
      message: `{"code":${2n ** 60n}}`,
    });
  });
});

describe('depth', () => {
  const deep = (open: string, inner: string, close: string): string =>
    open.repeat(20_000) + inner + close.repeat(20_000);

  it.each([
    ['tags within tags', () => tagged(deep('{"$typed":["i1",', '{"$bin":[0,0]}', ']}'))],
    ['the content of a tag', () => tagged(`{"$int":${deep('[', '', ']')}}`)],
    ['the name of an element type', () => tagged(`{"$typed":[${deep('[', '', ']')},{"$bin":[0,0]}]}`)],
    ['$esc', () => tagged(deep('{"$esc":{"a":', '1', '}}'))],
    ['JSON', () => json(deep('[', '', ']'))],
    ['MessagePack', () => msgpack(deep('91', 'c0', ''))],
    ['a member of a hello', () => hello(`{"protocol":${deep('[', '', ']')}}`)],
    ['a schema', () => hello(`{"protocol":2,"commands":[{"schema":${deep('{"a":', '1', '}')}}]}`)],
    ['groups', () => decodeHostCall(Buffer.alloc(20_000, 0x0b))],
  ])('is refused as a violation: %s', (_, read) => {
    expect(read).toThrow(ProtocolViolation);
  });

  function hello(text: string): unknown {
    const bytes = Buffer.from(text);
    return parseWorkerHello(bytes, 0, bytes.length);
  }
});

describe('keys that mean something to prototypes', () => {
  const keys = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"then":1,"toString":1}';
  const packed = ((): Buffer => {
    const out = new ByteWriter();
    createCodec('msgpack', LIMITS).encode(JSON.parse(keys), out);
    return Buffer.from(out.take());
  })();

  it.each([
    ['MessagePack', () => msgpack(packed.toString('hex'))],
    ['JSON', () => json(keys)],
    ['tagged JSON', () => tagged(`{"$esc":${keys}}`)],
    ['tagged JSON with a tag within', () => tagged(keys.replace('"polluted":true', '"polluted":{"$int":"1"}'))],
  ])('are members as any other: %s', (_, read) => {
    const map = read() as Record<string, unknown>;
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    expect(Object.keys(map)).toEqual(['__proto__', 'constructor', 'then', 'toString']);
    expect(map['polluted']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('change nothing in errors, log records and manifests', () => {
    const sent = JSON.parse(keys) as Record<string, unknown>;
    const error = toCallerError(parseErrorBody({ code: 'constructor', message: 'm', data: sent }), 'c', {
      pool: 'p',
      worker: 'w',
    });
    expect([error.code, error.delivery]).toEqual(['REMOTE_ERROR', 'ran']);
    expect(Object.keys(JSON.parse(JSON.stringify(error.remote)) as object)).toContain('data');
    expect(parseErrorBody(sent)).toEqual({ code: 'REMOTE_ERROR', message: 'the worker gave no reason' });
    expect(Object.getPrototypeOf(parseLogBody({ message: 'm', fields: sent }).fields)).toBe(Object.prototype);
    const manifest = `{"protocol":2,"codec":"json","language":"l","runtime":{"name":"n","version":"1"},"sdk":{"name":"n","version":"1"},
      "pid":1,"commands":[{"name":"__proto__","kind":"call","schema":${keys}},{"name":"constructor","kind":"call"}]}`;
    const bytes = Buffer.from(manifest);
    const hello = parseWorkerHello(bytes, 0, bytes.length);
    expect('commands' in hello && hello.commands.map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('texts made of what a worker sent', () => {
  it.each([
    ['missing', undefined],
    ['null', null],
    [JSON.stringify('x'.repeat(80)), 'x'.repeat(200)],
    ['1', 1n],
    ['a list of 2', [1, 2]],
    ['a map', { constructor: { name: { toString: 1 } } }],
    ['binary', new Uint8Array(2)],
  ])('say what it is: %s', (text, value) => {
    expect(describeValue(value)).toBe(text);
  });

  it('stay short', () => {
    expect(boundedText({ a: [1, 'b', null, new Date(0)], c: { d: true } })).toBe(
      '{"a":[1,"b",null,1970-01-01T00:00:00.000Z],"c":{"d":true}}',
    );
    expect(boundedText({ ['k'.repeat(10_000)]: 'v'.repeat(10_000) })).toHaveLength(4_096);
  });
});

describe('what came over the wire', () => {
  const root = fileURLToPath(new URL('../../../..', import.meta.url));
  const sources = (folder: string, extension: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith(extension) && !/spec\.ts$|node_modules|dist|__pycache__/.test(path))
      .map((path) => join(root, folder, path));
  const holds = (paths: readonly string[], forbidden: RegExp): string[] =>
    paths.filter((path) => forbidden.test(readFileSync(path, 'utf8').replaceAll(/^\s*(\/\/|\/?\*|#).*$/gm, '')));

  it('is never run as code: no eval, Function, vm, pickle, marshal or shelve in the library and the SDKs', () => {
    const typescript = ['libs/snakepit/src', 'bridges/node/src'].flatMap((folder) => sources(folder, '.ts'));
    const python = sources('bridges/python/snakepit_bridge', '.py');
    expect(Math.min(typescript.length, python.length)).toBeGreaterThan(20);
    expect(holds(typescript, /\beval\s*\(|\bnew Function\b|\bFunction\s*\(|node:vm|v8['"]\)?\.deserialize/)).toEqual(
      [],
    );
    const r = sources('bridges/r/R', '.R');
    expect(r.length).toBeGreaterThan(10);
    expect(holds(r, /\b(unserialize|readRDS|load|str2lang|str2expression|dget)\s*\(|\bparse\s*\(\s*text/)).toEqual([]);
    expect(holds(python, /(?<!\.)\b(eval|exec|compile)\s*\(|yaml\.load/)).toEqual([]);
    // Their names may stand in lists of what is refused.
    const unsafe = '(pickle|marshal|shelve|dill|cloudpickle)';
    const imported = String.raw`^\s*(import|from)\b.*\b${unsafe}\b|import(_module|__)\s*\(\s*["']${unsafe}\b`;
    expect(holds(python, new RegExp(String.raw`${imported}|\b${unsafe}\.\w+\s*\(`, 'm'))).toEqual([]);
  });
});
