import { describe, expect, it } from 'vitest';

import { option } from './option-table.js';
import { variableName, withVariables, type Environment } from './option-variables.js';

const limits = { soft: option.integer({ doc: 'Soft.', unit: 'ms', min: 1, max: 9, default: 5 }) };
const table = {
  maxSize: option.integer({ doc: 'Size.', min: 1, max: 8, default: 4 }),
  eager: option.boolean({ doc: 'Eager.', default: false }),
  name: option.string({ doc: 'Name.', default: 'x' }),
  mode: option.oneOf(['on', 'off'], { doc: 'Mode.', default: 'on' }),
  tags: option.strings({ doc: 'Tags.', default: [] }),
  env: option.stringMap({ doc: 'Env.', default: {} }),
  watch: option.value(
    (given): given is boolean | string[] => typeof given === 'boolean' || Array.isArray(given),
    'a boolean or a list',
    {
      doc: 'Watch.',
      text: 'boolean or list',
      default: false,
    },
  ),
  at: option.value((given): given is Date => given instanceof Date, 'a Date', {
    doc: 'At.',
    default: () => new Date(0),
  }),
  limits: option.group(limits, { doc: 'Limits.' }),
  scale: option.toggle(limits, { doc: 'Scale.' }),
  many: option.namedGroups(
    { ...limits, deep: option.group(limits, { doc: 'Deep.' }) },
    { doc: 'Many.', entry: 'one', default: {} },
  ),
};

const applied = (env: Environment, given: object = {}): unknown => withVariables(table, given, env, { prefix: 'APP_' });

describe('variableName', () => {
  it.each([
    ['queueTimeoutMs', 'QUEUE_TIMEOUT_MS'],
    ['uid', 'UID'],
    ['ml', 'ML'],
    ['my-pool.v2', 'MY_POOL_V2'],
    ['maxQueueBytes2', 'MAX_QUEUE_BYTES2'],
  ])('makes %s %s', (name, variable) => expect(variableName(name)).toBe(variable));
});

describe('withVariables', () => {
  it.each<[string, string, object]>([
    ['APP_MAX_SIZE', '8', { maxSize: 8 }],
    ['APP_EAGER', 'true', { eager: true }],
    ['APP_EAGER', '0', { eager: false }],
    ['APP_NAME', ' as it is ', { name: ' as it is ' }],
    ['APP_MODE', 'off', { mode: 'off' }],
    ['APP_TAGS', 'a, b,,c', { tags: ['a', 'b', 'c'] }],
    ['APP_TAGS', '', { tags: [] }],
    ['APP_ENV', '{"A":"1"}', { env: { A: '1' } }],
    ['APP_WATCH', 'true', { watch: true }],
    ['APP_WATCH', 'src,lib', { watch: ['src', 'lib'] }],
    ['APP_LIMITS_SOFT', '2', { limits: { soft: 2 } }],
    ['APP_SCALE', 'true', { scale: true }],
    ['APP_SCALE_SOFT', '2', { scale: { soft: 2 } }],
  ])('reads %s=%s by the type of its option', (name, text, expected) => {
    expect(applied({ [name]: text })).toEqual(expected);
  });

  it('changes entries of named groups that are there, however deep, and nothing else', () => {
    const given = { name: 'y', many: { mlModel: { soft: 3 }, other: {} } };
    const result = applied({ APP_MANY_ML_MODEL_SOFT: '4', APP_MANY_OTHER_DEEP_SOFT: '6', HOME: '/' }, given);
    expect(result).toEqual({ name: 'y', many: { mlModel: { soft: 4 }, other: { deep: { soft: 6 } } } });
    expect(given).toEqual({ name: 'y', many: { mlModel: { soft: 3 }, other: {} } });
  });

  it('hands back the very same options where no variable is meant', () => {
    const given = { name: 'y' };
    expect(applied({ HOME: '/', APP_MAX_SIZE: undefined }, given)).toBe(given);
  });

  it('takes a toggle that is on for an object, and refuses what lies below one that is off', () => {
    expect(applied({ APP_SCALE_SOFT: '2' }, { scale: true })).toEqual({ scale: { soft: 2 } });
    expect(applied({ APP_SCALE: 'true', APP_SCALE_SOFT: '2' })).toEqual({ scale: { soft: 2 } });
    expect(() => applied({ APP_SCALE_SOFT: '2' }, { scale: false })).toThrow(
      /'APP_SCALE_SOFT' is below an option that is false/,
    );
  });

  it.each<[string, string, RegExp]>([
    ['APP_MAX_SIZE', '9', /variable 'APP_MAX_SIZE' is "9"; allowed is an integer from 1 to 8/],
    ['APP_MAX_SIZE', 'many', /is "many"; allowed is an integer/],
    ['APP_MAX_SIZE', ' ', /is " "; allowed is an integer/],
    ['APP_EAGER', 'yes', /is "yes"; allowed is true or false/],
    ['APP_MODE', 'dim', /is "dim"; allowed is one of 'on', 'off'/],
    ['APP_ENV', 'A=1', /is "A=1"; allowed is an object whose values are strings/],
    ['APP_ENV', '{"A":1}', /allowed is an object whose values are strings/],
    ['APP_MAX_SISE', '3', /unknown environment variable 'APP_MAX_SISE' \("3"\).* APP_MAX_SIZE/],
    ['APP_AT', '2026', /unknown environment variable 'APP_AT'/],
    ['APP_LIMITS', '{}', /unknown environment variable 'APP_LIMITS'/],
    ['APP_MANY_NEW_SOFT', '3', /unknown environment variable 'APP_MANY_NEW_SOFT'/],
  ])('refuses %s=%s', (name, text, message) => {
    expect(() => applied({ [name]: text })).toThrow(message);
  });

  it('refuses a variable that could mean two options, where it is set', () => {
    const given = { many: { 'a-b': {}, a_b: {} } };
    expect(() => applied({ APP_MANY_A_B_SOFT: '3' }, given)).toThrow(
      /may mean 'many\.a-b\.soft' and 'many\.a_b\.soft'/,
    );
    expect(applied({ APP_MAX_SIZE: '3' }, given)).toMatchObject({ maxSize: 3 });
  });

  it('leaves reserved names alone', () => {
    const rules = { prefix: 'APP_', reserved: new Set(['APP_FD']) };
    expect(withVariables(table, {}, { APP_FD: '3', APP_NAME: 'z' }, rules)).toEqual({ name: 'z' });
  });
});
