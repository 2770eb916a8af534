import { fileURLToPath } from 'node:url';

import { createSnakepit, node, python, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf, itemsOf } from '../../support/outcomes.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../../fixtures/contract/${name}`, import.meta.url));
const DAY_MS = 86_400_000;

const ADAPTERS = {
  python: () => python({ module: pathOf('commands.py'), transport: 'grpc', path: [inject('pythonPackages')] }),
  node: () => node({ module: pathOf('commands.js'), transport: 'grpc' }),
};

describe.each(Object.entries(ADAPTERS))('a deadline over gRPC, with a %s worker', (_language, adapter) => {
  let snakepit: Snakepit | undefined;
  afterEach(() => snakepit?.close());

  // 2^31 ms, 24.8 days, is where 32-bit timers wrap around; grpc-timeout has eight digits, so the largest are in hours.
  it.each([24, 25, 30, 50, 365, 365_000_000])('of %d days is no deadline that has passed', async (days) => {
    snakepit = await createSnakepit({ adapter: adapter(), size: 1, timeoutMs: 1_000 });
    const pool = snakepit.pool();
    const timeoutMs = days * DAY_MS;
    expect(await pool.execute('add', { a: 1, b: 2 }, { timeoutMs })).toBe(3);
    expect(await itemsOf(pool.stream('count', { to: 3 }, { timeoutMs }))).toEqual([0, 1, 2]);
    expect(pool.stats()).toMatchObject({ restarts: 0, errors: 0 });
  });

  it('that is short still ends a call', async () => {
    snakepit = await createSnakepit({ adapter: adapter(), size: 1 });
    const error = await failureOf(snakepit.pool().execute('doze', { ms: 30_000 }, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
  });
});
