import { describe, expect, it } from 'vitest';

import { resolveOptions } from '../core/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import { SessionHostCalls } from './host-calls.js';
import { SESSION_OPTIONS, type SessionOptionsInput } from './options.js';
import { SessionService } from './session-service.js';

function setUp(input: SessionOptionsInput = {}) {
  const options = resolveOptions(SESSION_OPTIONS, input);
  const sessions = new SessionService(options, { clock: new ManualClock() });
  const calls = new SessionHostCalls(sessions, options);
  const ask = (method: string, args: unknown, sessionId: string | undefined = 'a') =>
    calls.answer(method, args, sessionId);
  const askOutside = (method: string, args: unknown) => calls.answer(method, args, undefined);
  return { sessions, ask, askOutside };
}

describe('SessionHostCalls', () => {
  it.each(['metadata', 'programs', 'globals'])('writes, reads, lists and deletes keys of %s', async (map) => {
    const { ask } = setUp();
    expect(await ask('session.read', { map, key: 'k' })).toEqual({ found: false, value: null, revision: 0 });
    expect(await ask('session.write', { map, key: 'k', value: { n: 1 } })).toEqual({ written: true, revision: 1 });
    expect(await ask('session.read', { map, key: 'k' })).toEqual({ found: true, value: { n: 1 }, revision: 1 });
    expect(await ask('session.keys', { map })).toEqual(['k']);
    expect(await ask('session.delete', { map, key: 'k' })).toEqual({ written: true, revision: 2 });
    expect(await ask('session.delete', { map, key: 'k' })).toEqual({ written: false, revision: 2 });
    expect(await ask('session.keys', { map })).toEqual([]);
  });

  it.each(['metadata', 'programs', 'globals'])('refuses writes to %s that name an old revision', async (map) => {
    const { ask } = setUp();
    await ask('session.write', { map, key: 'k', value: 1, revision: 0 });
    expect(await ask('session.write', { map, key: 'k', value: 2, revision: 0 })).toEqual({
      written: false,
      revision: 1,
    });
    expect(await ask('session.delete', { map, key: 'k', revision: 0 })).toEqual({ written: false, revision: 1 });
    expect(await ask('session.write', { map, key: 'k', value: null, revision: 1 })).toEqual({
      written: true,
      revision: 2,
    });
    expect(await ask('session.read', { map, key: 'k' })).toEqual({ found: true, value: null, revision: 2 });
    expect(await ask('session.delete', { map, key: 'k', revision: 2 })).toEqual({ written: true, revision: 3 });
  });

  it('raises one revision for both maps of a session', async () => {
    const { ask } = setUp();
    await ask('session.write', { map: 'metadata', key: 'k', value: 1 });
    expect(await ask('session.read', { map: 'programs', key: 'k' })).toMatchObject({ revision: 1 });
  });

  it('takes a revision of null as none', async () => {
    const { ask } = setUp();
    await ask('session.write', { map: 'metadata', key: 'k', value: 1 });
    const again = ask('session.write', { map: 'metadata', key: 'k', value: 2, revision: null });
    expect(await again).toMatchObject({ written: true });
  });

  it('loses no increment of many that retry when refused', async () => {
    const { ask, sessions } = setUp();
    const increment = async (): Promise<void> => {
      for (;;) {
        const args = { map: 'metadata', key: 'n' };
        const { value, revision } = (await ask('session.read', args)) as { value: unknown; revision: number };
        const next = await ask('session.write', { ...args, value: Number(value) + 1, revision });
        if ((next as { written: boolean }).written) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    expect((await sessions.get('a')).metadata['n']).toBe(20);
  });

  it('creates the session with the first host call about it, once', async () => {
    const { ask, sessions } = setUp({ ttlMs: 5_000 });
    await Promise.all(
      Array.from({ length: 8 }, (_, n) => ask('session.write', { map: 'metadata', key: `k${n}`, value: n })),
    );
    expect(await sessions.get('a')).toMatchObject({ ttlMs: 5_000, revision: 8 });
    expect((await sessions.stats()).created).toBe(1);
  });

  it('shares globals between sessions and calls without one', async () => {
    const { ask, askOutside, sessions } = setUp();
    await askOutside('session.write', { map: 'globals', key: 'k', value: 1 });
    expect(await ask('session.read', { map: 'globals', key: 'k' })).toMatchObject({ value: 1 });
    expect(await sessions.list()).toEqual([]);
    const outside = askOutside('session.read', { map: 'metadata', key: 'k' });
    await expect(outside).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS', details: { path: 'args.map' } });
  });

  it.each(['metadata', 'programs', 'globals'])('treats odd keys of %s as keys', async (map) => {
    const { ask } = setUp();
    for (const key of ['__proto__', 'constructor', 'hasOwnProperty', '']) {
      expect(await ask('session.read', { map, key })).toMatchObject({ found: false });
      await ask('session.write', { map, key, value: { polluted: key } });
      expect(await ask('session.read', { map, key })).toMatchObject({ found: true, value: { polluted: key } });
    }
    expect(await ask('session.keys', { map })).toEqual(['__proto__', 'constructor', 'hasOwnProperty', '']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    ['session.read', null, 'args'],
    ['session.read', [], 'args'],
    ['session.read', { map: 'cookies', key: 'k' }, 'args.map'],
    ['session.keys', {}, 'args.map'],
    ['session.read', { map: 'globals' }, 'args.key'],
    ['session.write', { map: 'globals', key: 1, value: 1 }, 'args.key'],
    ['session.write', { map: 'globals', key: 'k' }, 'args.value'],
    ['session.write', { map: 'metadata', key: 'k', value: [() => 1] }, 'args.value[0]'],
    ['session.write', { map: 'metadata', key: 'k', value: 1, revision: '1' }, 'args.revision'],
    ['session.delete', { map: 'globals', key: 'k', revision: -1 }, 'args.revision'],
  ])('refuses %s with %j, naming %s', async (method, args, path) => {
    const { ask } = setUp();
    await expect(ask(method, args)).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS', details: { path } });
  });

  it('refuses a value over maxValueBytes and a method it does not know', async () => {
    const { ask } = setUp({ maxValueBytes: 1_024 });
    const large = ask('session.write', { map: 'globals', key: 'k', value: new Uint8Array(2_000) });
    await expect(large).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS', details: { path: 'args.value' } });
    await expect(ask('session.drop', {})).rejects.toMatchObject({ code: 'UNKNOWN_COMMAND' });
  });

  it('reports a full store with SESSION_LIMIT', async () => {
    const { ask } = setUp({ maxSessions: 1 });
    await ask('session.keys', { map: 'metadata' });
    await expect(ask('session.keys', { map: 'metadata' }, 'b')).rejects.toMatchObject({ code: 'SESSION_LIMIT' });
  });
});
