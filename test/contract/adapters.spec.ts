import { delimiter } from 'node:path';

import { createSnakepit, custom, type Adapter, type CustomOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { adapterOf, COMBINATIONS, processAdapterOf, usePool, type Combination } from '../support/combinations.js';
import { failureOf, received } from '../support/outcomes.js';

/** The combination's worker, started by `custom()` as any program would be; a fake takes the hooks as they are. */
async function customOf(combination: Combination, hooks: Partial<CustomOptions>): Promise<Adapter> {
  if (!combination.can.hasProcesses) return { ...adapterOf(combination), ...hooks } as Adapter;
  const spec = await processAdapterOf(combination).prepare({ pool: 'default' });
  const { executable, args, protocol, codec } = spec;
  const transport = spec.grpc === undefined ? 'fd' : 'grpc';
  const paths = Object.entries(spec.searchPaths ?? {}).map(([name, folders]) => [name, folders.join(delimiter)]);
  const env = { ...spec.env, ...(Object.fromEntries(paths) as Record<string, string>) };
  return custom({ executable, args, env, protocol, transport, codec, language: 'odd', ...hooks });
}

describe.each(COMBINATIONS)('hooks of custom() over $name', (combination) => {
  const { can } = combination;
  let snakepit: Snakepit | undefined;
  afterEach(() => snakepit?.close());

  async function start(hooks: Partial<CustomOptions>) {
    snakepit = await createSnakepit({
      adapter: await customOf(combination, hooks),
      size: 1,
      cancelGraceMs: 50,
      killGraceMs: 50,
    });
    return snakepit.pool();
  }

  it('are called for every call, each in its place', async () => {
    const validate = vi.fn();
    const prepareArgs = vi.fn((_command: string, args: unknown) => ({ ...(args as object), b: 40 }));
    const processResponse = vi.fn((_command: string, result: unknown) => ({ result }));
    const pool = await start({ validate, prepareArgs, processResponse });
    expect(await pool.execute('add', { a: 2 })).toEqual({ result: 42 });
    expect(validate).toHaveBeenCalledExactlyOnceWith('add', { a: 2 });
    expect(prepareArgs).toHaveBeenCalledExactlyOnceWith('add', { a: 2 });
    expect(processResponse).toHaveBeenCalledExactlyOnceWith('add', 42);
  });

  it('refuse by validate, before anything is sent', async () => {
    const pool = await start({
      validate(command) {
        if (command === 'leave') throw new TypeError('not on my watch');
      },
    });
    const error = await failureOf(pool.execute('leave', { status: 1 }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
    expect(error.message).toContain('not on my watch');
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('fail the call when prepareArgs or processResponse throw', async () => {
    const pool = await start({
      prepareArgs(command, args) {
        if (command === 'same') throw new Error('cannot prepare');
        return args;
      },
      processResponse(command, result) {
        if (command === 'subtract') throw new Error('cannot read');
        return result;
      },
    });
    expect(await failureOf(pool.execute('same', [1]))).toMatchObject({
      code: 'INVALID_ARGUMENTS',
      delivery: 'not-started',
    });
    const error = await failureOf(pool.execute('subtract', [2, 1]));
    expect(error).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran' });
    expect(error.message).toContain('cannot read');
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('rewrite each item of a stream, where there are streams', async () => {
    const pool = await start({ processResponse: (_command, item) => Number(item) * 10 });
    const { items, error } = await received(pool.stream('count', { to: 3 }));
    if (can.multiplexes) expect(items).toEqual([0, 10, 20]);
    else expect(error).toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('give commands their timeout, unless the caller does', async () => {
    const pool = await start({ commandTimeoutMs: (command) => (command === 'doze' ? 100 : undefined) });
    const error = await failureOf(pool.execute('doze', { ms: 2_000 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', details: { timeoutMs: 100 } });
    expect(await pool.execute('doze', { ms: 150 }, { timeoutMs: 10_000 })).toBe(150);
  });

  it('limit the commands to the supported ones', async () => {
    const pool = await start({ supportedCommands: ['add'] });
    const error = await failureOf(pool.execute('subtract', [2, 1]));
    expect(error).toMatchObject({ code: 'UNKNOWN_COMMAND', delivery: 'not-started' });
    expect(error.message).toContain('Known commands: add');
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });
});

describe.each(COMBINATIONS)('after close over $name', (combination) => {
  const running = usePool(combination, { size: 1 });

  it('every call, stream and change is refused with POOL_CLOSED, and closing again does nothing', async () => {
    const { pool, snakepit } = running();
    const last = pool.execute('doze', { ms: 100 });
    const closing = snakepit.close();
    const refused = { code: 'POOL_CLOSED', delivery: 'not-started', retryable: false };
    expect(await failureOf(pool.execute('add', { a: 1, b: 2 }))).toMatchObject(refused);
    expect(await last).toBe(100);
    await closing;
    expect(await failureOf(pool.execute('add', { a: 1, b: 2 }))).toMatchObject(refused);
    expect((await received(pool.stream('count', { to: 1 }))).error).toMatchObject(refused);
    expect(await failureOf(pool.restart())).toMatchObject(refused);
    expect(() => pool.resize(2)).toThrow(expect.objectContaining({ code: 'POOL_CLOSED' }) as Error);
    await snakepit.close();
    expect(pool.status).toBe('down');
    expect(pool.stats()).toMatchObject({ workers: 0, pids: [], inFlight: 0, queued: 0 });
  });
});
