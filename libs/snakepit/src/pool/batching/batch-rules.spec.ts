import { expect, it } from 'vitest';

import { resolveOptions } from '../../core/index.js';
import { batchOptionTable } from './batch-options.js';
import { BatchRules } from './batch-rules.js';

const settings = (given = {}) => resolveOptions(batchOptionTable, given);
const wish = (name: string, batch?: object) => ({ name, kind: 'call' as const, ...(batch && { batch }) });

it('follows the options before the application, and that before the workers', () => {
  const rules = new BatchRules('ml', { a: settings({ maxSize: 1 }) });
  rules.declare('a', settings({ maxSize: 2 }), 'A.a()');
  rules.declare('b', settings({ maxSize: 2 }), 'A.b()');
  rules.learn(['a', 'b', 'c'].map((name) => wish(name, { maxSize: 3 })));
  expect(['a', 'b', 'c', 'd'].map((name) => rules.lineOf(name)?.settings.maxSize)).toEqual([1, 2, 3, undefined]);
});

it('forgets the wish of workers whose code has changed', () => {
  const rules = new BatchRules('ml', {});
  rules.learn([wish('a', { maxSize: 3 })]);
  const line = rules.lineOf('a');
  rules.learn([wish('a', { maxSize: 5 })]);
  expect([rules.lineOf('a'), line?.settings.maxSize]).toEqual([line, 5]);
  rules.learn([wish('a')]);
  expect(rules.lineOf('a')).toBeUndefined();
});

it('refuses two declarations that differ, and takes two that do not', () => {
  const rules = new BatchRules('ml', {});
  rules.declare('a', settings({ maxSize: 2 }), 'A.a()');
  rules.declare('a', settings({ maxSize: 2 }), 'B.a()');
  expect(() => rules.declare('a', settings({ maxSize: 3 }), 'C.a()')).toThrow(
    /C\.a\(\) and B\.a\(\) batch 'a' of pool 'ml'/,
  );
});

it('tells once of a command of the options that no worker has', () => {
  const rules = new BatchRules('ml', { predict: settings(), predcit: settings() });
  expect(rules.learn([wish('predict')])).toEqual(['predcit']);
  expect(rules.learn([wish('predict')])).toEqual([]);
});

it('is not misled by names of members that every object has', () => {
  const rules = new BatchRules('ml', {});
  expect([rules.lineOf('constructor'), rules.lineOf('__proto__')]).toEqual([undefined, undefined]);
});
