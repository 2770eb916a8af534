import 'reflect-metadata';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Sse } from '@nestjs/common';
import { commandArgs, PoolService, SnakepitCommand, SnakepitModule } from 'nestjs-snakepit';
import type { Observable } from 'rxjs';
import { afterAll, expect, it } from 'vitest';
import { reports, serveApp } from './support/apps.js';
import { until } from './support/processes.js';

const folder = mkdtempSync(join(tmpdir(), 'snakepit-sse-'));
afterAll(() => rmSync(folder, { recursive: true }));

@Controller()
class TickController {
  constructor(private readonly pool: PoolService) {}

  @Sse('ticks')
  ticks(): Observable<number> {
    return this.pool.stream<number>('ticks', { marker: join(folder, 'ticks') });
  }

  @Sse('commanded')
  @SnakepitCommand('ticks', { stream: true })
  commanded(): Observable<number> {
    return commandArgs({ marker: join(folder, 'commanded') });
  }
}

it.each(['ticks', 'commanded'])('stops the generator of /%s in the worker when the client leaves', async (path) => {
  const { app, url } = await serveApp({
    imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 })],
    controllers: [TickController],
  });
  const [response] = (await once(get(`${url}/${path}`), 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  let received = '';
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    received += chunk as string;
    if (received.includes('data: 2')) break;
  }
  expect(existsSync(join(folder, path))).toBe(false);

  response.destroy();
  await until(() => existsSync(join(folder, path)), 'the generator runs its finally block');

  const pool = app.get(PoolService);
  expect(await pool.execute('add', [1, 2])).toBe(3);
  expect(pool.stats()).toMatchObject({ inFlight: 0, queued: 0, restarts: 0 });
});
