import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import {
  PythonComplex,
  PythonDecimal,
  PythonObject,
  ref,
  StoredObject,
  tuple,
  type PythonService,
  type PythonSession,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';

import { failureOf } from '../../support/outcomes.js';
import { useScratch } from '../../support/records.js';
import { useEnhanced } from './support.js';

const start = useEnhanced(() => inject('pythonPackages'));
const ALLOW = ['math', 'json', 'statistics', 'collections', 'shapes', 'textwrap'];

let snakepit: Snakepit;
let service: PythonService;
let session: PythonSession;
beforeAll(async () => {
  snakepit = await start({ allow: ALLOW, maxObjects: 5, maxBytes: 1_000_000, maxValues: 1000 }, { size: 2 });
  service = snakepit.python();
});
beforeEach(async () => {
  session = await service.createSession();
});

describe('a call', () => {
  it('runs a function with positional and named arguments in any worker', async () => {
    expect(await service.call<number>('math.sqrt', [16])).toBe(4);
    expect(await service.call('json.dumps', [{ b: 1, a: [null, true] }], { sort_keys: true })).toBe(
      '{"a": [null, true], "b": 1}',
    );
    expect(await service.call('collections.Counter', ['hello'])).toMatchObject({ l: 2, h: 1 });
  });

  it('reads what cannot be called, and calls functions without arguments', async () => {
    expect(await service.call<number>('math.pi')).toBeCloseTo(Math.PI);
    expect(await service.call('shapes.many', undefined, { count: 3 })).toEqual([0, 1, 2]);
    expect(await service.call('shapes.Odd')).toBeInstanceOf(PythonObject);
  });

  it('carries arguments of all kinds to Python', async () => {
    const seen = await service.call<Record<string, string>>('shapes.types_of', [], {
      tuple: tuple(1, 'a'),
      set: new Set([1]),
      map: new Map([[1, 'one']]),
      complex: new PythonComplex(1, -2),
      decimal: new PythonDecimal('0.10'),
      large: 2n ** 70n,
      like_a_tag: { '@ref': 'secret' },
      bytes: Uint8Array.of(1, 2),
      missing: undefined,
    });
    expect(seen).toEqual({
      tuple: "tuple (1, 'a')",
      set: 'set {1}',
      map: "dict {1: 'one'}",
      complex: 'complex (1-2j)',
      decimal: "Decimal Decimal('0.10')",
      large: `int ${2n ** 70n}`,
      like_a_tag: "dict {'@ref': 'secret'}",
      bytes: "bytes b'\\x01\\x02'",
    });
  });

  it('gives what the function raised as REMOTE_ERROR, and its type', async () => {
    const error = await failureOf(service.call('shapes.fail', ['lost']));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran', remote: { type: 'LookupError' } });
    expect(error.remote?.traceback).toMatch(/shapes\.py/);
  });

  it.each([
    ['os.system', 'not-allowed', /'os\.system' is neither of a module on the allow-list \(math, json/],
    ['math.sqroot', 'unknown-attribute', /the module math has no member sqroot; did you mean sqrt/],
    ['math..sqrt', 'bad-argument', /has to be a dotted name/],
    ['math.pi', 'bad-argument', /cannot be called/, [1]],
    ['shapes.os.system', 'not-allowed', /leads to the module os, which is not on the allow-list/],
  ] as const)('to %s is refused as %s before it runs', async (target, reason, message, args?: readonly unknown[]) => {
    const error = await failureOf(service.call(target, args ?? ['x']));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started', remote: { data: { reason } } });
    expect(error.message).toMatch(message);
  });
});

describe('a result', () => {
  it('tells odd objects by what they know of themselves', async () => {
    const told = await service.call<Record<string, unknown>>('shapes.odd_things');
    const { odd, broken, ...plain } = told;
    expect(plain).toEqual({
      enum: 'red',
      dataclass: { x: 1, y: 2 },
      model_dump: { from: 'model_dump' },
      to_dict: { from: 'to_dict' },
      registered: { registered: { x: 1, y: 2 } },
      path: '/a/b',
      decimal: '1.10',
      complex: new PythonComplex(1, 2),
      set: new Set([1, 2, 3]),
      tuple: [1, 'a'],
      date: '2026-01-02',
      naive: '2026-01-02T03:04:05',
      aware: new Date('2026-01-02T03:04:05Z'),
      duration: 60,
      uuid: '12345678-1234-5678-1234-567812345678',
      bytes: Buffer.from([0, 1]),
      large: 2n ** 70n,
      nan: Number.NaN,
      keys: new Map<unknown, unknown>([
        [1, 'one'],
        [[2, 3], 'pair'],
      ]),
      'looks like a tag': { '@ref': 'secret' },
    });
    expect(odd).toMatchObject({ type: 'shapes.Odd', repr: '<Odd>', ref: undefined });
    expect(broken).toMatchObject({ repr: '<repr() failed: RuntimeError>' });
  });

  it('that has no form is kept for a while in a session, so that it can be stored', async () => {
    const odd = await session.call<PythonObject>('shapes.Odd', [200]);
    expect(odd.repr).toHaveLength(500);
    await session.store('odd', odd);
    expect(await session.call('odd.size')).toBe(200);
    for (let more = 0; more < 9; more += 1) await session.call('shapes.Odd');
    expect((await failureOf(session.call(odd.ref!.member('size')))).message).toMatch(/was deleted/);
  });

  it('that contains itself ends where it begins anew', async () => {
    expect(await service.call('shapes.cycle')).toEqual([expect.any(PythonObject)]);
  });

  it('of too many values is refused with the remedy', async () => {
    const error = await failureOf(service.call('shapes.many', [1000]));
    expect(error).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran' });
    expect(error.message).toMatch(/more than 1000 values.*storeAs/);
  });
});

describe('stored objects', () => {
  it('are kept by name, described, read, used in arguments at any depth, and deleted', async () => {
    const values = await session.call('shapes.many', [5], {}, { storeAs: 'values' });
    expect(values).toBeInstanceOf(StoredObject);
    expect(values).toMatchObject({ name: 'values', type: 'builtins.list', repr: '[0, 1, 2, 3, 4]' });
    expect(await session.call('statistics.mean', [values])).toBe(2);
    expect(await session.call('json.dumps', [{ deep: [{ in: ref('values') }] }])).toBe(
      '{"deep": [{"in": [0, 1, 2, 3, 4]}]}',
    );
    expect(await session.call('values.index', [3])).toBe(3);
    expect(await session.call('values.__getitem__', [1])).toBe(1);
    await session.store('config', { depth: 3 });
    expect(await session.retrieve('config')).toEqual({ depth: 3 });
    expect((await session.list()).map(({ name }) => name)).toEqual(['values', 'config']);
    await session.delete('values');
    for (const call of [
      session.retrieve('values'),
      session.call('values.index', [1]),
      session.call('math.fsum', [ref('values')]),
    ]) {
      const error = await failureOf(call);
      expect(error).toMatchObject({
        code: 'INVALID_ARGUMENTS',
        remote: { data: { reason: 'deleted-object', name: 'values' } },
      });
      expect(error.message).toMatch(/'values' was deleted; store it again/);
    }
    expect((await failureOf(session.retrieve('never'))).message).toMatch(/there is no stored object 'never'.*config/);
  });

  it('keep their state between calls, which all go to their worker', async () => {
    const others = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const other = await service.createSession();
        await other.call('shapes.Odd', [at], {}, { storeAs: 'odd' });
        return other;
      }),
    );
    await Promise.all(others.map((other) => other.call('odd.grow', [100])));
    expect(await Promise.all(others.map((other) => other.call('odd.size')))).toEqual([
      100, 101, 102, 103, 104, 105, 106, 107,
    ]);
  });

  it('are of one session alone, and go with it', async () => {
    await session.store('mine', 1);
    const other = await service.createSession();
    expect((await failureOf(other.retrieve('mine'))).message).toMatch(/no stored object 'mine'/);
    await session.close();
    const again = service.session(session.id);
    expect(await again.list()).toEqual([]);
  });

  it('need a session', async () => {
    for (const call of [
      service.store('x', 1),
      service.call('math.sqrt', [1], {}, { storeAs: 'x' }),
      service.call('math.sqrt', [ref('x')]),
    ]) {
      expect(await failureOf(call)).toMatchObject({
        code: 'INVALID_ARGUMENTS',
        remote: { data: { reason: 'no-session' } },
      });
    }
  });

  it('are limited in number and in bytes', async () => {
    for (let at = 0; at < 5; at += 1) await session.store(`value_${at}`, at);
    const full = await failureOf(session.store('one_more', 1));
    expect(full.message).toMatch(/holds 5 objects, as many as it may \(`enhanced\.maxObjects`\)/);
    await session.delete('value_0');
    const large = await failureOf(session.store('large', 'x'.repeat(1_000_001)));
    expect(large).toMatchObject({ code: 'REMOTE_ERROR', remote: { data: { reason: 'quota', limit: 1_000_000 } } });
    expect(large.message).toMatch(/enhanced\.maxBytes/);
  });

  it.each(['math', '_hidden', 'two words', ''])('cannot be named %j', async (name) => {
    expect(await failureOf(session.store(name, 1))).toMatchObject({ code: 'INVALID_ARGUMENTS' });
  });

  it('that were lost with their worker are told as that', async () => {
    await session.store('kept', [1]);
    const [death, waiting] = await Promise.all([
      failureOf(session.call('shapes.die')),
      session.call('kept.copy').then(
        () => undefined,
        (error: unknown) => error,
      ),
    ]);
    expect(death.code).toBe('WORKER_EXITED');
    expect(waiting).toMatchObject({
      code: expect.stringMatching(/SESSION_WORKER_UNAVAILABLE|WORKER_EXITED/) as string,
    });
    for (const call of [
      session.retrieve('kept'),
      session.call('kept.copy'),
      session.pipeline([{ target: 'math.fsum', args: [ref('kept')] }]),
    ]) {
      const lost = await failureOf(call);
      expect(lost).toMatchObject({
        code: 'SESSION_WORKER_UNAVAILABLE',
        details: { session: session.id, name: 'kept' },
      });
      expect(lost.message).toMatch(/is gone, and the stored object 'kept' was lost with it; store it again/);
    }
    await session.store('kept', [2]);
    expect(await session.retrieve('kept')).toEqual([2]);
  });
});

describe('a pipeline', () => {
  it('runs its steps in one go, and gives the last value and what was stored', async () => {
    const { value, stored } = await session.pipeline<string>([
      { target: 'shapes.many', args: [4], storeAs: 'values' },
      { target: 'statistics.mean', args: [ref('values')], storeAs: 'mean' },
      { target: 'json.dumps', args: [{ mean: ref('mean') }] },
    ]);
    expect(value).toBe('{"mean": 1.5}');
    expect(stored.map(({ name }) => name)).toEqual(['values', 'mean']);
  });

  it('names the step that fails', async () => {
    const error = await failureOf(
      session.pipeline([
        { target: 'math.sqrt', args: [4], storeAs: 'two' },
        { name: 'root', target: 'math.sqrt', args: [-1] },
      ]),
    );
    expect(error).toMatchObject({
      code: 'REMOTE_ERROR',
      delivery: 'ran',
      remote: { data: { reason: 'step-failed', step: 2, name: 'root', target: 'math.sqrt', type: 'ValueError' } },
    });
    expect(error.message).toMatch(/step 2 \('root': math\.sqrt\) raised ValueError/);
    expect(await session.retrieve('two')).toBe(2);
  });

  it('that cannot be right does not begin', async () => {
    expect(await failureOf(session.pipeline([]))).toMatchObject({ code: 'INVALID_ARGUMENTS' });
    const error = await failureOf(
      session.pipeline([{ target: 'shapes.die' }, { target: 'math.sqrt', args: [1], storeAs: '_no' }]),
    );
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
  });
});

describe('models, inspection and information', () => {
  it('creates, trains and asks a model of the application’s own', async () => {
    const model = await session.createModel('shapes.MeanModel', { offset: 1 }, { storeAs: 'model' });
    const trained = await session.trainModel(model, { data: { X: [[1], [2]], y: [1, 3] }, params: { weight: 2 } });
    expect(trained).toMatchObject({ model: 'model', rows: 2, score: 1 });
    expect(await session.predict(model, [[5], [6]])).toEqual([5, 5]);
    expect((await failureOf(session.createModel('shapes.Odd', {}, { storeAs: 'odd' }))).message).toMatch(
      /no method fit/,
    );
    expect((await failureOf(session.predict(model, [], { method: 'destroy' as 'predict' }))).message).toMatch(
      /asked by one of/,
    );
  });

  it('describes targets with their signatures', async () => {
    const described = await service.inspect('shapes.many');
    expect(described).toMatchObject({ kind: 'function', signature: '(count)', parameters: [{ name: 'count' }] });
    const { members, kind } = await service.inspect('shapes.Odd');
    expect(kind).toBe('class');
    expect(members).toContainEqual({ name: 'grow', kind: 'function' });
    expect((await service.inspect('math')).members.length).toBeGreaterThan(40);
  });

  it('tells versions and limits', async () => {
    await session.store('x', 1);
    expect(await session.info()).toMatchObject({
      allow: ALLOW,
      objects: 1,
      limits: { maxObjects: 5, maxValues: 1000 },
    });
  });

  it('configures frameworks of the allow-list only', async () => {
    expect((await failureOf(session.configure('os', {}))).message).toMatch(/no framework that is on the allow-list/);
  });
});

describe('what a called function does', () => {
  const scratch = useScratch();

  it.each([
    ['shapes.write', 'change files', ['/tmp/never-written']],
    ['shapes.read', 'read', ['/etc/passwd']],
    ['shapes.start_program', 'start or signal processes', []],
    ['shapes.connect', 'use the network', []],
    ['shapes.revive', 'unpickle', []],
    ['shapes.evaluate', 'compile or run code', ['1 + 1']],
  ] as const)('is stopped where %s tries to %s', async (target, what, args) => {
    const error = await failureOf(service.call(target, args));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', remote: { type: 'Forbidden', data: { reason: 'forbidden' } } });
    expect(error.message).toContain(what);
  });

  it('is stopped in threads that it starts', async () => {
    const path = scratch('thread');
    expect(await service.call('shapes.in_a_thread', [path])).toEqual(['Forbidden']);
    expect(existsSync(path)).toBe(false);
  });

  it('is let do what the options permit, in the folders that they name', async () => {
    const folder = dirname(scratch('x'));
    const open = (await start({ allow: ['shapes'], write: [folder], permit: ['processes', 'pickle'] })).python();
    await open.call('shapes.write', [join(folder, 'written')]);
    expect(await open.call('shapes.read', [join(folder, 'written')])).toBe('written');
    expect((await failureOf(open.call('shapes.write', [`${folder}-beside`]))).message).toContain('change files');
    await open.call('shapes.start_program');
    expect(await open.call('shapes.revive')).toBeInstanceOf(PythonObject);
    expect((await failureOf(open.call('shapes.connect'))).message).toContain('use the network');
  });
});

describe('a pool', () => {
  const scratch = useScratch();

  it('serves libraries beside the commands of its module, forked from a zygote too', async () => {
    const module = `${scratch('own')}.py`;
    writeFileSync(module, 'def double(n):\n    return 2 * n\n');
    for (const zygote of [false, true]) {
      const both = await start({ allow: ['math'] }, {}, { module, zygote });
      expect(await both.pool().execute('double', { n: 4 })).toBe(8);
      expect(await both.python().call('math.floor', [2.5])).toBe(2);
    }
  });

  it('lets the module itself say what may be called', async () => {
    const module = `${scratch('library')}.py`;
    writeFileSync(module, 'from snakepit_bridge.enhanced import Enhanced\n\nlibrary = Enhanced(allow=["math"])\n');
    const { python, createSnakepit } = await import('nestjs-snakepit/core');
    const own = await createSnakepit({ adapter: python({ module }), size: 1 });
    try {
      expect(await own.python().call('math.floor', [2.5])).toBe(2);
      const error = await failureOf(own.python().session('s').store('x', 1));
      expect(error).toMatchObject({ code: 'MISUSE' });
      expect(error.message).toMatch(/give it affinity 'strict-queue'/);
    } finally {
      await own.close();
    }
  });

  it('without library commands says how to get them', async () => {
    const module = `${scratch('plain')}.py`;
    writeFileSync(module, 'def double(n):\n    return 2 * n\n');
    const { python, createSnakepit } = await import('nestjs-snakepit/core');
    const plain = await createSnakepit({ adapter: python({ module }), size: 1 });
    try {
      const error = await failureOf(plain.python().call('math.sqrt', [1]));
      expect(error).toMatchObject({ code: 'MISUSE' });
      expect(error.message).toMatch(/python\(\{ enhanced: \{ allow/);
    } finally {
      await plain.close();
    }
  });

  it('does not start with what cannot be allowed, and says so', async () => {
    for (const name of ['os', 'builtins', 'pickle', 'importlib.util', 'snakepit_bridge.*', 'numpy.f2py']) {
      const error = await failureOf(start({ allow: [name] }, { startTimeoutMs: 5_000 }));
      expect(error.message).toMatch(
        new RegExp(`'${name.replace('.', '\\.').replace('*', '\\*')}' cannot stand on the allow-list`),
      );
    }
    expect(await failureOf(start({ allow: ['*'] }))).toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(await failureOf(start({ allow: [] }))).toMatchObject({ code: 'INVALID_OPTIONS' });
  });

  it('loads plugins that register serializers', async () => {
    const plugin = `${scratch('plug')}.py`;
    writeFileSync(
      plugin,
      'from snakepit_bridge.enhanced import register_serializer\nregister_serializer("shapes.Odd", lambda odd: odd.size)\n',
    );
    const plugged = await start({ allow: ['shapes'], plugins: [plugin] });
    expect(await plugged.python().call('shapes.Odd', [7])).toBe(7);
  });
});
