import { describe, expect, it } from 'vitest';

import type { Adapter } from '../worker/index.js';
import { POOL_PROFILES } from '../pool/index.js';
import { RESERVED_VARIABLES } from '../worker/index.js';
import { resolveSnakepitOptions, withEnvironment } from './options.js';
import { Snakepit } from './snakepit.js';

const adapter: Adapter = { name: 'fake', prepare: () => Promise.reject(new Error('not started here')) };

class AdapterClass implements Adapter {
  readonly name = 'mine';
  prepare(): Promise<never> {
    return Promise.reject(new Error('not started here'));
  }
}

describe('resolveSnakepitOptions', () => {
  it('takes an adapter alone for the pool named default', () => {
    const { pools, autoStart } = resolveSnakepitOptions(adapter);
    expect(Object.keys(pools)).toEqual(['default']);
    expect(pools['default']?.adapter).toBe(adapter);
    expect(autoStart).toBe(true);
  });

  it('takes an adapter that is an instance of a class', () => {
    const mine = new AdapterClass();
    expect(resolveSnakepitOptions(mine).pools['default']?.adapter).toBe(mine);
  });

  it('tells the options of one pool from those of the library', () => {
    const resolved = resolveSnakepitOptions({ adapter, size: 2, autoStart: false, sessions: { maxSessions: 5 } });
    expect(resolved.pools['default']).toMatchObject({ adapter, size: 2, timeoutMs: 60_000 });
    expect(resolved).toMatchObject({ autoStart: false, sessions: { maxSessions: 5 } });
  });

  it('takes many pools by name', () => {
    const resolved = resolveSnakepitOptions({ pools: { ml: { adapter, size: 1 }, io: { adapter, window: 1 } } });
    expect(resolved.pools).toMatchObject({ ml: { size: 1, window: 64 }, io: { window: 1 } });
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /options' is undefined/],
    ['no pool', {}, /'options\.pools' is undefined/],
    ['an empty set of pools', { pools: {} }, /'options\.pools' is empty; name at least one pool/],
    ['a pool without adapter', { pools: { ml: { size: 1 } } }, /'options\.pools\.ml\.adapter' is undefined.*python\(/],
    ['an adapter that is none', { adapter: {} }, /adapter' is an object; allowed is an adapter such as python\(/],
    ['both one pool and many', { adapter, pools: { a: { adapter } } }, /unknown key 'options\.adapter'/],
    ['an unknown key', { pools: { ml: { adapter } }, autostart: true }, /unknown key 'options\.autostart'/],
    ['an unknown key of the one pool', { adapter, sise: 3 }, /unknown key .*sise' \(3\)/],
    ['a size of 0', { adapter, size: 0 }, /size' is 0; allowed is an integer from 1 to 1024/],
  ])('refuses %s', (_, given, message) => {
    expect(() => resolveSnakepitOptions(given)).toThrow(message);
  });
});

describe('environment variables', () => {
  const env = { SNAKEPIT_POOLS_ML_SIZE: '8', SNAKEPIT_SESSIONS_TTL_MS: '5000', SNAKEPIT_AUTO_START: 'false' };
  const pools = { ml: { adapter, size: 1 } };

  it('change nothing unless the options say so', () => {
    expect(resolveSnakepitOptions({ pools }, env).pools['ml']?.size).toBe(1);
    expect(resolveSnakepitOptions({ pools, environmentOverrides: false }, env).autoStart).toBe(true);
  });

  it('go before the options', () => {
    const resolved = resolveSnakepitOptions({ pools, environmentOverrides: true }, env);
    expect(resolved).toMatchObject({
      pools: { ml: { size: 8, adapter } },
      sessions: { ttlMs: 5_000 },
      autoStart: false,
    });
  });

  it('name the pool of the shorthands DEFAULT', () => {
    const change = { SNAKEPIT_POOLS_DEFAULT_WINDOW: '2' };
    const resolved = resolveSnakepitOptions({ adapter, size: 3, environmentOverrides: true }, change);
    expect(resolved.pools['default']).toMatchObject({ size: 3, window: 2 });
    expect(withEnvironment(adapter, change)).toEqual({ pools: { default: { adapter, window: 2 } } });
  });

  it('have the prefix that was given, and then no other', () => {
    const own = { ...env, SHOP_POOLS_ML_SIZE: '4', SNAKEPIT_OTHER: 'x' };
    expect(resolveSnakepitOptions({ pools, environmentOverrides: 'SHOP_' }, own).pools['ml']?.size).toBe(4);
    expect(() => resolveSnakepitOptions({ pools, environmentOverrides: 'shop' }, {})).toThrow(
      /environmentOverrides' is "shop"/,
    );
  });

  it('are told from those of workers and hosts', () => {
    const known = Object.fromEntries([...RESERVED_VARIABLES].map((name) => [name, '3']));
    expect(withEnvironment({ pools }, known)).toEqual({ pools });
    for (const name of RESERVED_VARIABLES)
      expect(name).not.toMatch(/^SNAKEPIT_(POOLS|SESSIONS)_|^SNAKEPIT_AUTO_START$/);
    expect(() => withEnvironment({ pools }, { SNAKEPIT_POLS_ML_SIZE: '8' })).toThrow(
      /unknown environment variable 'SNAKEPIT_POLS_ML_SIZE'/,
    );
  });
});

describe('a profile', () => {
  it('gives a pool defaults, which its options and the environment go before', () => {
    const pool = { adapter, profile: 'ml-inference' as const, timeoutMs: 7_000, maxQueue: undefined };
    const given = { pools: { ml: pool, io: { adapter } }, environmentOverrides: true };
    const { ml, io } = resolveSnakepitOptions(given, { SNAKEPIT_POOLS_ML_CANCEL_GRACE_MS: '1' }).pools;
    expect(ml).toMatchObject({ timeoutMs: 7_000, queueTimeoutMs: 30_000, cancelGraceMs: 1, maxQueue: 1_000 });
    expect(io).toMatchObject({ profile: 'balanced', timeoutMs: 60_000, queueTimeoutMs: 5_000 });
  });

  it('may come from the environment', () => {
    const given = { adapter, environmentOverrides: true };
    const { default: pool } = resolveSnakepitOptions(given, { SNAKEPIT_POOLS_DEFAULT_PROFILE: 'batch' }).pools;
    expect(pool).toMatchObject(POOL_PROFILES.batch);
  });

  it.each(Object.keys(POOL_PROFILES))('%s has only values that are allowed', (profile) => {
    expect(() => resolveSnakepitOptions({ adapter, profile })).not.toThrow();
  });

  it('that there is not is refused', () => {
    expect(() => resolveSnakepitOptions({ adapter, profile: 'toString' })).toThrow(
      /options\.profile' is "toString"; allowed is one of/,
    );
  });
});

describe('Snakepit', () => {
  const names = (pools: readonly string[]): Snakepit =>
    new Snakepit({ pools: Object.fromEntries(pools.map((name) => [name, { adapter }])) });

  it('means the only pool, or the one named default, when no name is given', async () => {
    for (const [pools, expected] of [
      [['ml'], 'ml'],
      [['ml', 'default'], 'default'],
    ] as const) {
      const snakepit = names(pools);
      expect(snakepit.pool().name).toBe(expected);
      await snakepit.close();
    }
  });

  it('says which pools there are when a name is wrong or missing', async () => {
    const snakepit = names(['a', 'b']);
    expect(() => snakepit.pool('c')).toThrow("There is no pool 'c'. Pools of this module: a, b.");
    expect(() => snakepit.pool().stats()).toThrow("There is no pool 'default'");
    await snakepit.close();
  });

  it('fails its start with the cause of the pool that cannot start, and leaves no exit listener', async () => {
    const before = process.listenerCount('exit');
    const snakepit = names(['a']);
    expect(process.listenerCount('exit')).toBe(before + 1);
    await expect(snakepit.start()).rejects.toThrow('not started here');
    expect(process.listenerCount('exit')).toBe(before);
  });
});
