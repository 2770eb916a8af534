import { createSnakepit, python, type Snakepit } from 'nestjs-snakepit/core';
import { collectMetrics, type SnakepitMetrics } from 'nestjs-snakepit/core/metrics';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

import { CallMetering } from '../../../libs/snakepit/src/pool/call-metering.js';
import { Exposition } from '../../support/exposition.js';
import { failureOf } from '../../support/outcomes.js';

let snakepit: Snakepit;
let metrics: SnakepitMetrics | undefined;

beforeAll(async () => {
  snakepit = await createSnakepit({ adapter: python({ module: 'test/fixtures/metrics/measured.py' }), size: 1 });
});

afterAll(() => snakepit.close());

it('nothing is told of calls while nobody collects metrics, before and after', async () => {
  const onReleased = vi.spyOn(CallMetering.prototype, 'onReleased');
  const onSettled = vi.spyOn(CallMetering.prototype, 'onSettled');
  const told = () => onReleased.mock.calls.length + onSettled.mock.calls.length;
  const add = () => snakepit.pool().execute('add', { a: 1, b: 2 });
  await add();
  expect(told()).toBe(0);
  metrics = collectMetrics(snakepit, { registry: new Registry(), maxCommands: 3 });
  await add();
  expect(told()).toBe(2);
  metrics.close();
  await add();
  expect(told()).toBe(2);
});

it('commands that callers make up share one label when there are too many, and sessions are never one', async () => {
  metrics = collectMetrics(snakepit, { registry: new Registry(), maxCommands: 3 });
  const pool = snakepit.pool();
  const codes = new Set<string>();
  for (let number = 0; number < 200; number += 1) {
    codes.add((await failureOf(pool.execute(`made_up_${number}`))).code);
  }
  for (let number = 0; number < 20; number += 1) {
    const session = `session-${number}`;
    await snakepit.sessions.create(session);
    await pool.executeInSession(session, 'add', { a: number, b: 1 });
  }
  const page = new Exposition(await metrics.metrics());
  metrics.close();
  expect(codes).toEqual(new Set(['UNKNOWN_COMMAND']));
  expect(page.labelValues('command')).toEqual(new Set(['made_up_0', 'made_up_1', 'made_up_2', 'other', 'add']));
  expect(page.value('snakepit_calls_total', { command: 'other', outcome: 'error' })).toBe(197);
  expect(page.value('snakepit_calls_total', { command: 'add', outcome: 'ok' })).toBe(20);
  expect(page.value('snakepit_session_events_total', { event: 'created' })).toBe(20);
  expect(page.samples.some(({ labels }) => Object.values(labels).some((text) => text.startsWith('session-')))).toBe(
    false,
  );
});
