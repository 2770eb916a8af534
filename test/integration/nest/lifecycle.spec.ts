import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PoolService, Snakepit, SnakepitModule } from 'nestjs-snakepit';
import { describe, expect, it } from 'vitest';
import { bootApp, createApp, reports } from './support/apps.js';
import { isRunning } from './support/processes.js';

const onePool = () => SnakepitModule.forRoot({ adapter: reports(), size: 2 });

describe('the life of an application', () => {
  it('has its pools ready when other modules initialize', async () => {
    @Injectable()
    class Warmup implements OnModuleInit {
      sum: unknown;
      constructor(private readonly pool: PoolService) {}
      async onModuleInit() {
        this.sum = await this.pool.execute('add', [1, 2]);
      }
    }
    const app = await bootApp({ imports: [onePool()], providers: [Warmup] });
    expect(app.get(Warmup).sum).toBe(3);
  });

  it('lets calls finish when it closes, takes no new ones, and leaves no process', async () => {
    const app = await bootApp({ imports: [onePool()] });
    const pool = app.get(PoolService);
    const { pids } = pool.stats();
    expect(pids.filter(isRunning)).toHaveLength(2);

    const slow = pool.execute('sleep', [0.2]);
    const closing = app.close();
    expect(await slow).toBe(0.2);
    await closing;
    expect(pids.filter(isRunning)).toEqual([]);
    await expect(pool.execute('add', [1, 2])).rejects.toMatchObject({ code: 'POOL_CLOSED', delivery: 'not-started' });
  });

  it('kills what does not finish within drainTimeoutMs', async () => {
    const app = await bootApp({
      imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1, drainTimeoutMs: 50, killGraceMs: 50 })],
    });
    const pool = app.get(PoolService);
    const { pids } = pool.stats();
    const endless = expect(pool.execute('sleep', [60])).rejects.toMatchObject({
      code: 'POOL_CLOSED',
      delivery: 'may-have-run',
    });
    await app.close();
    await endless;
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it('still runs calls while other modules prepare to shut down', async () => {
    @Injectable()
    class Farewell implements BeforeApplicationShutdown {
      sum: unknown;
      constructor(private readonly pool: PoolService) {}
      async beforeApplicationShutdown() {
        this.sum = await this.pool.execute('add', [1, 2]);
      }
    }
    const app = await bootApp({ imports: [onePool()], providers: [Farewell] });
    await app.close();
    expect(app.get(Farewell).sum).toBe(3);
  });

  it('closes before it was initialized', async () => {
    const app = await createApp({ imports: [onePool()] });
    await app.close();
  });

  it('starts its pools on demand with autoStart: false', async () => {
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1, autoStart: false })] });
    const pool = app.get(PoolService);
    await expect(pool.execute('add', [1, 2])).rejects.toMatchObject({ code: 'POOL_NOT_READY' });
    await app.get(Snakepit).start();
    expect(await pool.execute('add', [1, 2])).toBe(3);
  });
});

const program = fileURLToPath(new URL('../../fixtures/nest/app.mjs', import.meta.url));

/** Runs the application as a process of its own, up to where its workers have answered. */
async function runProgram(mode: 'close' | 'wait') {
  const child = spawn(process.execPath, [program, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, exit, pids: JSON.parse(line) as number[] };
}

describe('the process of an application', () => {
  it('exits on its own after app.close(), its workers before it', async () => {
    const { exit, pids } = await runProgram('close');
    expect(await exit).toEqual([0, null]);
    expect(pids).toHaveLength(2);
    expect(pids.filter(isRunning)).toEqual([]);
  });

  it('ends with its workers at SIGTERM when shutdown hooks are on', async () => {
    const { child, exit, pids } = await runProgram('wait');
    child.kill('SIGTERM');
    expect(await exit).toEqual([null, 'SIGTERM']);
    expect(pids.filter(isRunning)).toEqual([]);
  });
});
