import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';

import { alsContext, captured } from './call-context.js';
import { resolveSnakepitOptions } from './options.js';

const adapter = { prepare: () => Promise.reject(new Error('not started')) };

describe('alsContext', () => {
  it('reads the keys that it is given out of an object or a Map, under the names that it is given', () => {
    const objects = new AsyncLocalStorage<object>();
    const maps = new AsyncLocalStorage<Map<string, unknown>>();
    const id = Symbol('id');
    const fromObject = alsContext(objects, { tenant: 'tenant', correlationId: id });
    const fromMap = alsContext(maps, ['tenant']);
    expect([fromObject.capture(), fromMap.capture()]).toEqual([undefined, undefined]);
    objects.run({ tenant: 'a', [id]: 'c-1', user: 'u' }, () => {
      expect(captured(fromObject.capture)).toEqual({ tenant: 'a', correlationId: 'c-1' });
    });
    maps.run(new Map([['tenant', null]]), () => expect(captured(fromMap.capture)).toEqual({}));
  });

  it('puts them back where the store has them', () => {
    const id = Symbol('id');
    const objects = new AsyncLocalStorage<object>();
    const { run } = alsContext(objects, { tenant: 'tenant', correlationId: id });
    const seen = run({ tenant: 'a', correlationId: 'c-1', other: 'x' }, () => objects.getStore());
    expect(seen).toEqual({ tenant: 'a', [id]: 'c-1' });

    const maps = new AsyncLocalStorage<Map<string, string>>();
    const restored = alsContext(maps, ['tenant'], (values) => new Map(Object.entries(values)));
    expect(restored.run({ tenant: 'a' }, () => maps.getStore()?.get('tenant'))).toBe('a');
  });
});

describe('the option context', () => {
  it('is off unless it is given', () => {
    expect(resolveSnakepitOptions({ adapter }).context).toEqual({ capture: undefined, run: undefined });
  });

  it.each([
    [{ capture: 'tenant' }, `'options.context.capture' is "tenant"; allowed is a function that returns an object`],
    [{ run: 1 }, `'options.context.run' is 1; allowed is a function of values and a function`],
    [{ captures: () => ({}) }, `unknown key 'options.context.captures'`],
  ])('refuses %o', (context, message) => {
    expect(() => resolveSnakepitOptions({ adapter, context })).toThrow(message);
  });
});

describe('captured', () => {
  it.each([
    ['a text', 'returned "acme"; allowed is an object of strings', 'acme'],
    ['null', 'returned null', null],
    ['a list', 'returned a list of 1', ['a']],
    ['an object in it', "returned an object as 'user'; allowed is a string", { user: {} }],
  ])('refuses %s', (_, message, given) => {
    expect(() => captured(() => given as never)).toThrow(message);
  });
});
