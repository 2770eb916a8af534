import { subscribe, type EventPayloads } from 'nestjs-snakepit/core';
import { describe, expect, it } from 'vitest';

import { COMBINATIONS, usePool, type Home } from '../support/combinations.js';
import { failureOf } from '../support/outcomes.js';
import { waitUntil } from '../support/wait-until.js';

const LANGUAGE_NAMES: Readonly<Partial<Record<Home, string>>> = {
  python: 'python',
  node: 'javascript',
  fake: 'javascript',
};

describe.each(COMBINATIONS)('what workers tell over $name', (combination) => {
  const { can, language, protocol, codec } = combination;
  const running = usePool(combination);
  const execute = (command: string, args?: unknown, options = {}): Promise<unknown> =>
    running().pool.execute(command, args, options);

  it('progress reaches the caller in order, where the protocol carries it', async () => {
    const seen: unknown[] = [];
    expect(await execute('steps', { total: 5 }, { onProgress: (value: unknown) => seen.push(value) })).toBe(5);
    expect(seen).toEqual(can.multiplexes ? [0, 1, 2, 3, 4].map((step) => ({ step })) : []);
  });

  it('log records reach the log with level, logger and fields, or as lines of text', async () => {
    const message = `loaded ☃ ${combination.name}`;
    expect(await execute('log_record', { message, rows: 3 })).toBe('logged');
    const { logs } = running();
    const record = await waitUntil('the record', () => logs.find((each) => each.message.includes(message)));
    const again = await waitUntil('the error', () => logs.find((each) => each.message.includes(`${message} again`)));
    expect(record).toMatchObject({ pool: 'default', worker: expect.stringMatching(/^default-\d+$/) as string });
    if (!can.multiplexes) return;
    expect(record).toMatchObject({ level: 'info', message, fields: { rows: 3 } });
    expect(again).toMatchObject({ level: 'error', message: `${message} again` });
  });

  it('events are published on the diagnostics channel, where the protocol carries them', async () => {
    const events: EventPayloads['snakepit:worker-event'][] = [];
    const unsubscribe = subscribe('snakepit:worker-event', (event) => events.push(event));
    try {
      expect(await execute('announce', { name: 'cache.miss', data: { key: 'a' } })).toBe('announced');
      const told = { pool: 'default', name: 'cache.miss', data: { key: 'a' } };
      if (can.multiplexes) expect(events).toEqual([expect.objectContaining(told)]);
      else expect(events).toEqual([]);
    } finally {
      unsubscribe();
    }
  });

  it('every call is published with its times and its outcome', async () => {
    const calls: EventPayloads['snakepit:call'][] = [];
    const unsubscribe = subscribe('snakepit:call', (call) => calls.push(call));
    try {
      await execute('doze', { ms: 20 });
      await failureOf(execute('fail', { message: 'x' }));
    } finally {
      unsubscribe();
    }
    expect(calls).toMatchObject([
      { pool: 'default', command: 'doze', kind: 'call', error: undefined },
      { pool: 'default', command: 'fail', kind: 'call', error: 'REMOTE_ERROR' },
    ]);
    expect(calls[0]?.durationMs).toBeGreaterThanOrEqual(19);
    expect(calls[0]?.queuedMs).toBeLessThan(calls[0]?.durationMs ?? 0);
  });

  it('trace and context reach the command, where the protocol carries them', async () => {
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const facts = await execute('facts', null, { trace, context: { tenant: 'a' } });
    expect(facts).toEqual({
      command: 'facts',
      trace: can.multiplexes ? trace : {},
      context: can.multiplexes ? { tenant: 'a' } : {},
    });
  });

  it('workers say their language, runtime and codec, as far as the protocol lets them', () => {
    const [worker] = running().pool.workers();
    expect(worker).toMatchObject({ state: 'ready', codec });
    if (protocol === 'v1') return;
    expect(worker).toMatchObject({
      language: LANGUAGE_NAMES[language],
      runtime: expect.stringMatching(/\d+\.\d+/) as string,
    });
  });

  it('the manifest lists commands with their kinds', () => {
    const commands = running().pool.commands;
    if (protocol === 'v1') return expect(commands).toBeUndefined();
    expect(commands).toContainEqual(expect.objectContaining({ name: 'add', kind: 'call' }));
    expect(commands).toContainEqual(expect.objectContaining({ name: 'count', kind: 'stream' }));
    expect(commands).toContainEqual(expect.objectContaining({ name: 'count_later', kind: 'stream' }));
    expect(commands?.some(({ name }) => name.startsWith('_'))).toBe(false);
  });

  it('workers see the allow-listed variables and none of the secrets of the host', async () => {
    process.env['CONTRACT_SECRET'] = 'hidden';
    try {
      const seen = (await execute('environment')) as Record<string, string>;
      expect(seen['PATH']).toBe(process.env['PATH']);
      expect(seen['SNAKEPIT_POOL']).toBe('default');
      expect(seen).not.toHaveProperty('CONTRACT_SECRET');
      expect(Object.keys(seen).filter((name) => name.startsWith('VITEST'))).toEqual([]);
    } finally {
      delete process.env['CONTRACT_SECRET'];
    }
  });
});
