import { describe, expect, it } from 'vitest';

import { HostMethods } from './host-methods.js';

const runTool = () => Promise.reject(new Error('no tools here'));
const request = (method: string) => ({
  method,
  args: { n: 1 },
  pool: 'default',
  call: undefined,
  isOver: true,
  runTool,
});

describe('HostMethods', () => {
  it('gives a call to whoever answers the first part of its method', async () => {
    const methods = new HostMethods();
    methods.register('a', ({ method }) => Promise.resolve(`a: ${method}`));
    methods.register('b', ({ method, args }) => Promise.resolve([method, args]));
    expect(await methods.answer(request('a.read'))).toBe('a: a.read');
    expect(await methods.answer(request('b.x.y'))).toEqual(['b.x.y', { n: 1 }]);
  });

  it.each(['c.read', 'a', '.a', ''])('refuses %j, which nobody answers', async (method) => {
    const methods = new HostMethods();
    methods.register('a', () => Promise.resolve(null));
    await expect(methods.answer(request(method))).rejects.toMatchObject({ code: 'UNKNOWN_COMMAND' });
  });

  it('has one answerer for each first part', () => {
    const methods = new HostMethods();
    methods.register('a', () => Promise.resolve(null));
    expect(() => methods.register('a', () => Promise.resolve(null))).toThrow("'a.…' are answered already");
  });
});
