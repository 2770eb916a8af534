import { fileURLToPath } from 'node:url';

import { createSnakepit, python, type LogRecord, type PoolOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf, failureWithStacks } from '../../support/outcomes.js';
import { untilGone } from '../../support/processes.js';
import { entryWith, useScratch } from '../../support/records.js';

const module = fileURLToPath(new URL('../../fixtures/integration/hangs.py', import.meta.url));

/** What one worker has written to the log. */
function linesOf(worker: unknown, logs: readonly LogRecord[]): string {
  return logs.flatMap((record) => (record.worker === worker ? record.message : [])).join('\n');
}

describe('a command that hangs in a Python worker over gRPC', () => {
  const scratch = useScratch();
  const open = new Set<Snakepit>();
  afterEach(async () => {
    await Promise.all([...open].map((snakepit) => snakepit.close()));
    open.clear();
  });

  async function start(options: Partial<PoolOptions> = {}) {
    const logs: LogRecord[] = [];
    const adapter = python({ module, transport: 'grpc', path: [inject('pythonPackages')] });
    const defaults = { adapter, size: 1, cancelGraceMs: 150, killGraceMs: 150 };
    const snakepit = await createSnakepit({ ...defaults, ...options }, { log: (record) => logs.push(record) });
    open.add(snakepit);
    return { pool: snakepit.pool(), logs };
  }

  it.each(['hang', 'spin', 'hold_gil'])(
    'shows by the stacks of its worker where, and costs it its worker: %s',
    async (command) => {
      const { pool, logs } = await start();
      const path = scratch();
      const [before] = pool.stats().pids;
      const innermost = command === 'hang' ? 'innermost_of_the_hang' : command;
      const where = new RegExp(`hangs\\.py", line \\d+ in ${innermost}`);
      const error = await failureWithStacks(() => pool.execute(command, { path }, { timeoutMs: 200 }), where);
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
      expect(String(error.details['workerStacks'])).toMatch(where);
      expect(linesOf(error.details['worker'], logs)).not.toContain('most recent call first');
      expect(await pool.execute('pid')).not.toBe(before);
      await untilGone([before ?? 0]);
    },
  );

  it('while it holds the GIL misses its heartbeat: WORKER_LOST, and its worker is replaced', async () => {
    const { pool } = await start({ heartbeatIntervalMs: 30, heartbeatTimeoutMs: 500 });
    const path = scratch();
    const lost = failureOf(pool.execute('hold_gil', { path }));
    await entryWith(path, 'began');
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
    expect(typeof (await pool.execute('pid'))).toBe('number');
  });
});
