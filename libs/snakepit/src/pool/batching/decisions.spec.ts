import { describe, expect, it } from 'vitest';

import { SnakepitError } from '../../core/index.js';
import { readBatchAnswer } from './batch-answer.js';
import { batchMeta } from './batch-meta.js';
import { companyOf } from './companions.js';
import { departureOf } from './departure.js';
import { culpritOf, refusalOfItem } from './refused-item.js';

const settings = { maxSize: 4, maxWaitMs: 10, adaptive: true };

describe('departureOf', () => {
  const gathering = { gathered: 1, oldestAt: 100, running: 1 };
  it.each([
    ['a full batch', { ...gathering, gathered: 4 }, settings, 100],
    ['one that is not full, where no other runs', { ...gathering, running: 0 }, settings, 100],
    ['one whose first call has waited for long enough', gathering, settings, 110],
    ['one that must not wait', gathering, { ...settings, maxWaitMs: 0 }, 100],
  ])('lets %s leave now', (_, state, given, now) => {
    expect(departureOf(state, given, now)).toEqual({ kind: 'now' });
  });

  it.each([
    ['another runs', gathering, settings],
    ['it is not adaptive', { ...gathering, running: 0 }, { ...settings, adaptive: false }],
  ])('lets a batch that is not full wait for more where %s', (_, state, given) => {
    expect(departureOf(state, given, 105)).toEqual({ kind: 'at', atMs: 110 });
  });
});

describe('companyOf', () => {
  const call = (name: string, queuedBytes = 1, mayHaveRun = false) => ({ name, queuedBytes, mayHaveRun });
  const limits = { maxSize: 3, maxBytes: 100 };
  const names = (calls: readonly { name: string }[]) => calls.map(({ name }) => name).join('');

  it('takes the first come along, up to the size', () => {
    const head = call('c');
    expect(names(companyOf(head, [call('a'), call('b'), head, call('d')], limits))).toBe('cab');
  });

  it('stops where there is no room for more bytes, but never leaves the head behind', () => {
    expect(names(companyOf(call('a', 60), [call('b', 50), call('c', 1)], limits))).toBe('a');
    expect(names(companyOf(call('a', 600), [call('b', 1)], limits))).toBe('a');
  });

  it('lets a call run alone that a worker has died with, whosever turn it is', () => {
    expect(names(companyOf(call('a', 1, true), [call('b')], limits))).toBe('a');
    expect(names(companyOf(call('a'), [call('b', 1, true), call('c')], limits))).toBe('ac');
  });
});

describe('batchMeta', () => {
  it('keeps the session, the first trace, and what of the context all calls share', () => {
    const trace = { traceparent: 'first' };
    const metas = [
      { session: 's', context: { tenant: 'x', user: '1', locale: 'en' } },
      { session: 's', context: { tenant: 'x', user: '2' }, trace },
      { session: 's', context: { user: '1', tenant: 'x' }, trace: { traceparent: 'second' } },
    ];
    expect(batchMeta(metas)).toEqual({ session: 's', trace, context: { tenant: 'x' }, batch: true });
  });

  it('has no context where a call brings none', () => {
    expect(batchMeta([{ context: { tenant: 'x' } }, undefined])).toEqual({ batch: true });
    expect(batchMeta([undefined, { context: { tenant: 'x' } }])).toEqual({ batch: true });
  });
});

describe('readBatchAnswer', () => {
  it('has an outcome for each call', () => {
    const error = { code: 'REMOTE_ERROR', message: 'no' };
    expect(readBatchAnswer([[1, null, 3], [[1, error]]], 3)).toEqual({
      outcomes: [{ value: 1 }, { error }, { value: 3 }],
    });
    expect(readBatchAnswer([[undefined], null], 1)).toEqual({ outcomes: [{ value: undefined }] });
  });

  it.each([
    ['no pair', [[1]]],
    ['no list of results', [{ 0: 1 }, null]],
    ['too few results', [[], null]],
    ['too many results', [[1, 2], null]],
    ['no list of errors', [[1], { 0: {} }]],
    ['an error of no call', [[1], [[1, { code: 'X', message: '' }]]]],
    ['an error without a position', [[1], [{ code: 'X', message: '' }]]],
    ['an error of a negative position', [[1], [[-1, {}]]]],
  ])('says what is wrong with %s', (_, answer) => {
    expect(readBatchAnswer(answer, 1)).toEqual({ problem: expect.any(String) as string });
  });
});

describe('a refused batch', () => {
  const refusal = new SnakepitError('INVALID_ARGUMENTS', {
    path: 'args[12].a[0]',
    reason: 'args[12].a[0]: is a function',
  });

  it('names the call that is to blame', () => {
    expect(culpritOf(refusal)).toBe(12);
    expect(culpritOf(new SnakepitError('INVALID_ARGUMENTS', { path: 'args' }))).toBeUndefined();
    expect(culpritOf(new SnakepitError('FRAME_TOO_LARGE'))).toBeUndefined();
  });

  it('is told to that call in its own words', () => {
    expect(refusalOfItem(refusal).details).toEqual({ path: 'args.a[0]', reason: 'args.a[0]: is a function' });
  });
});
