import { createSnakepit, isSnakepitError, node, python, type LogRecord, type Snakepit } from 'nestjs-snakepit/core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';

import { untilGone } from '../../support/processes.js';
import { useScratch } from '../../support/records.js';
import { waitUntil } from '../../support/wait-until.js';
import { LANES, POOL_OPTIONS, workerOptions, type Lane } from './lanes.mjs';
import { FAULTS, type Ending } from './matrix.mjs';

const SIZE = 2;

describe.runIf(process.platform === 'linux').each(LANES)('a pool of workers in $name', (lane: Lane) => {
  const scratch = useScratch();
  const logs: LogRecord[] = [];
  let snakepit: Snakepit;
  const pool = () => snakepit.pool();

  beforeAll(async () => {
    const options = workerOptions(lane, inject('pythonPackages'));
    const adapter = lane.language === 'python' ? python(options) : node(options);
    snakepit = await createSnakepit({ adapter, ...POOL_OPTIONS }, { log: (record) => logs.push(record) });
  });
  afterAll(() => snakepit.close());
  afterEach(async () => {
    await untilWhole();
    expect(pool().stats()).toMatchObject({ queued: 0, inFlight: 0 });
  });

  async function untilWhole(): Promise<void> {
    await waitUntil('a whole pool', () => pool().stats().available === SIZE && pool().stats().workers === SIZE);
  }

  for (const { name, provoke, ends, says, logs: line, isHarmless = false, leftOut = {} } of FAULTS) {
    if (leftOut[lane.name] !== undefined) continue;

    it(`${isHarmless ? 'keeps' : 'replaces'} one that meets ${name}, and goes on`, async () => {
      const before = pool().stats().pids;
      const call = endingOf(Promise.resolve(provoke(pool(), scratch, lane)));
      // A call that comes to a worker which was stopped while it was idle waits until that is noticed.
      if (ends(lane) !== undefined) expect(await pool().execute('add', { a: 40, b: 2 })).toBe(42);
      const { ending, text } = await call;

      expect(ending).toEqual(ends(lane));
      if (says !== undefined) expect(text).toMatch(says);
      if (line !== undefined)
        await waitUntil('the line in the log', () => logs.some(({ message }) => message === line));
      if (isHarmless) return expect(pool().stats().pids).toEqual(before);
      const gone = () => before.filter((pid) => !pool().stats().pids.includes(pid));
      await waitUntil('its replacement', () => gone().length > 0);
      await untilWhole();
      expect(gone()).toHaveLength(1);
      await untilGone(gone());
      expect(await Promise.all([1, 2, 3, 4].map((b) => pool().execute('add', { a: 1, b })))).toEqual([2, 3, 4, 5]);
    });
  }
});

async function endingOf(call: Promise<unknown>): Promise<{ ending: Ending; text: string }> {
  try {
    const value = await call;
    return { ending: value === undefined ? undefined : { value }, text: '' };
  } catch (error) {
    if (!isSnakepitError(error)) throw error;
    return { ending: { code: error.code, delivery: error.delivery }, text: error.message };
  }
}
