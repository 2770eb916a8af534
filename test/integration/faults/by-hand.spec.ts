import { fileURLToPath } from 'node:url';

import { createSnakepit, custom, type Snakepit } from 'nestjs-snakepit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { failureOf } from '../../support/outcomes.js';
import { untilGone } from '../../support/processes.js';
import { waitUntil } from '../../support/wait-until.js';
import { POOL_OPTIONS } from './lanes.mjs';

const SCRIPT = fileURLToPath(new URL('../../fixtures/faults/by_hand_grpc.mjs', import.meta.url));
const SIZE = 2;
const BROKEN = { code: 'PROTOCOL_ERROR', delivery: 'may-have-run' };

/** What no library for gRPC sends; frames of the other protocols are in matrix.mjs. */
const BREACHES = [
  { how: 'duplicate', what: 'answers twice', ends: BROKEN },
  { how: 'nothing', what: 'ends a call well without an answer', ends: BROKEN },
  { how: 'truncated', what: 'ends a call within its answer', ends: BROKEN },
  { how: 'no-protobuf', what: 'answers by what is no message', ends: BROKEN },
  { how: 'control too-long', what: 'announces 4 GB on the control stream', ends: BROKEN },
  { how: 'control no-protobuf', what: 'says on the control stream what is no message', ends: BROKEN },
  { how: 'control hello-again', what: 'says hello twice', ends: BROKEN },
  {
    how: 'control truncated',
    what: 'exits within a message',
    ends: { code: 'WORKER_EXITED', delivery: 'may-have-run' },
  },
];

describe('a worker that writes gRPC by hand', () => {
  let snakepit: Snakepit;
  const pool = () => snakepit.pool();
  beforeAll(async () => {
    const adapter = custom({
      executable: process.execPath,
      script: SCRIPT,
      protocol: 'v2',
      transport: 'grpc',
      codec: 'json',
    });
    snakepit = await createSnakepit({ adapter, ...POOL_OPTIONS });
  });
  afterAll(() => snakepit.close());
  afterEach(async () => {
    await waitUntil('a whole pool', () => pool().stats().available === SIZE && pool().stats().workers === SIZE);
    expect(pool().stats()).toMatchObject({ queued: 0, inFlight: 0 });
  });

  it.each(BREACHES)('is replaced when it $what', async ({ how, ends }) => {
    const before = pool().stats().pids;
    const broken = failureOf(pool().execute('break', { how }));
    expect(typeof (await pool().execute('pid'))).toBe('number');
    expect(await broken).toMatchObject(ends);
    const gone = () => before.filter((pid) => !pool().stats().pids.includes(pid));
    await waitUntil('its replacement', () => gone().length === 1);
    await untilGone(gone());
  });

  it('fails that call alone whose answer announces 4 GB, and takes no memory for it', async () => {
    const before = pool().stats().pids;
    const bytes = process.memoryUsage().rss;
    const error = await failureOf(pool().execute('break', { how: 'too-long' }));
    expect(error).toMatchObject({ code: 'FRAME_TOO_LARGE', delivery: 'may-have-run' });
    expect(error.message).toContain("raise 'maxFrameBytes'");
    expect(process.memoryUsage().rss - bytes).toBeLessThan(100 * 2 ** 20);
    expect(pool().stats().pids).toEqual(before);
  });

  it('may speak of calls that there are not, which is ignored', async () => {
    const before = pool().stats().pids;
    expect(await pool().execute('break', { how: 'control unknown-call' })).toBe(1);
    expect(pool().stats().pids).toEqual(before);
  });
});
