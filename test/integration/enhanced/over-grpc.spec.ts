import { createSnakepit, grpc, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf } from '../../support/outcomes.js';
import { startStandalone, type StandaloneWorker } from '../../support/standalone-worker.js';
import { useEnhanced } from './support.js';

const TOKEN = 'a-token-of-the-team';
const start = useEnhanced(() => inject('pythonPackages'));

/** What holds wherever a library is called: values, stored objects, refusals. */
async function expectLibraries(snakepit: Snakepit): Promise<void> {
  const service = snakepit.python();
  expect(await service.call('math.sqrt', [16])).toBe(4);
  const session = await service.createSession();
  await session.call('collections.Counter', ['hello'], {}, { storeAs: 'counts' });
  expect(await session.call('counts.__getitem__', ['l'])).toBe(2);
  await session.close();
  expect(await failureOf(service.call('os.getcwd'))).toMatchObject({
    code: 'INVALID_ARGUMENTS',
    delivery: 'not-started',
    remote: { data: { reason: 'not-allowed' } },
  });
}

describe('libraries over gRPC', () => {
  let worker: StandaloneWorker | undefined;
  let attached: Snakepit | undefined;
  afterEach(async () => {
    await attached?.close();
    await worker?.kill();
  });

  it('are called in workers that the host starts', async () => {
    await expectLibraries(await start({ allow: ['math', 'collections'] }, {}, { transport: 'grpc' }));
  });

  it('are called in workers that somebody else has started with --enhanced, beside their own commands', async () => {
    const flags = ['--enhanced', JSON.stringify({ allow: ['math', 'collections'] })];
    worker = await startStandalone('python', '127.0.0.1:0', TOKEN, inject('pythonPackages'), flags);
    const adapter = grpc({ address: worker.address, token: TOKEN });
    attached = await createSnakepit({ adapter, affinity: 'strict-queue' });
    await expectLibraries(attached);
    expect(await attached.pool().execute('add', { a: 40, b: 2 })).toBe(42);
  });
});
