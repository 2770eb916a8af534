import { describe, expect, it } from 'vitest';

import {
  checkOptions,
  declaredOptions,
  NO_OPTIONS,
  optionsBelow,
  settingsOf,
  type CallOptions,
} from './call-options.js';

describe('checkOptions', () => {
  it.each<[string, unknown, RegExp]>([
    ['timeoutMs', 0, /'timeoutMs' is 0; allowed is a number above 0/],
    ['timeoutMs', Number.NaN, /'timeoutMs' is NaN/],
    ['timeoutMs', '5', /'timeoutMs' is "5"/],
    ['priority', 'urgent', /'priority' is "urgent"; allowed is one of high, normal, low/],
    ['session', '', /'session' is ""; allowed is a string of 1 to 256 characters/],
    ['session', 7, /'session' is 7/],
    ['session', 'x'.repeat(257), /'session' is/],
  ])('refuses %s %s', (name, value, reason) => {
    const check = (): void => checkOptions('work', 'pool', { [name]: value } as CallOptions);
    expect(check).toThrow(reason);
    expect(check).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' }));
  });

  it('accepts what is left out, and Infinity as no time limit', () => {
    expect(() => checkOptions('work', 'pool', {})).not.toThrow();
    expect(() => checkOptions('work', 'pool', { timeoutMs: Infinity, priority: 'low', session: 's' })).not.toThrow();
  });
});

describe('declaredOptions', () => {
  it('are those of a call that says nothing where nothing is declared', () => {
    expect(declaredOptions({})).toBe(NO_OPTIONS);
    expect(declaredOptions({ timeoutMs: undefined, validate: undefined, idempotent: false })).toBe(NO_OPTIONS);
  });

  it.each<[CallOptions]>([[{ timeoutMs: 5 }], [{ priority: 'low' }], [{ idempotent: true }], [{ validate: 'all' }]])(
    'say what is declared: %o',
    (declared) => {
      expect(declaredOptions(declared)).toMatchObject(declared);
    },
  );
});

describe('optionsBelow', () => {
  const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` };

  it('come to the same settings as the trace by itself, once for all calls', () => {
    const options = optionsBelow(trace);
    const settings = settingsOf('work', 'pool', options);
    expect(settings).toEqual(settingsOf('work', 'pool', { trace }));
    expect(settingsOf('other', 'pool', options)).toBe(settings);
  });

  it('are checked again where something is added', () => {
    const more = { ...optionsBelow(trace), session: '' };
    expect(() => settingsOf('work', 'pool', more)).toThrow(/'session'/);
  });
});
