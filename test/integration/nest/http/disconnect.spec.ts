import 'reflect-metadata';
import { once } from 'node:events';
import { request, type ClientRequest } from 'node:http';
import { Controller, Get, Query, Sse, UseInterceptors } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  commandArgs,
  PoolService,
  python,
  SnakepitCommand,
  SnakepitDisconnectInterceptor,
  SnakepitModule,
} from 'nestjs-snakepit';
import { tap, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

import { entriesOf, entryWith, useScratch } from '../../../support/records.js';
import { waitUntil } from '../../../support/wait-until.js';
import { serveApp } from '../support/apps.js';

/** How the calls of handlers ended, in the order in which they did. */
const outcomes: unknown[] = [];

async function recorded<Result>(call: Promise<Result>): Promise<Result> {
  try {
    const result = await call;
    outcomes.push(result);
    return result;
  } catch (error) {
    outcomes.push((error as { code?: string }).code);
    throw error;
  }
}

@Controller()
class PatientController {
  constructor(private readonly pool: PoolService) {}

  @Get('execute')
  execute(@Query('path') path: string) {
    return recorded(this.pool.execute('linger', { path }));
  }

  @Get('later')
  async later(@Query('path') path: string) {
    await this.pool.execute('quick', { value: 1 });
    // Whatever a handler awaits or starts belongs to its request.
    await new Promise((resolve) => setImmediate(resolve));
    return recorded(this.pool.execute('linger_later', { path }));
  }

  @Get('both')
  both(@Query('path') path: string) {
    return Promise.all([
      recorded(this.pool.execute('linger_later', { path })),
      recorded(this.pool.executeInSession('s', 'linger_later', { path })),
    ]);
  }

  @Get('command')
  async command(@Query('path') path: string) {
    return recorded(this.linger(path));
  }

  @SnakepitCommand('linger')
  linger(path: string): Promise<unknown> {
    return commandArgs({ path });
  }

  @Sse('sse')
  sse(@Query('path') path: string): Observable<number> {
    return this.pool.stream<number>('ticks', { path }).pipe(tap({ error: (error) => outcomes.push(error) }));
  }

  @Sse('sse-command')
  @SnakepitCommand('ticks', { stream: true })
  sseCommand(@Query('path') path: string): Observable<number> {
    return commandArgs({ path });
  }

  @Get('readable')
  readable(@Query('path') path: string) {
    return this.pool.readable('ticks', { path, text: true });
  }

  @Get('iterate')
  iterate(@Query('path') path: string) {
    return this.pool.iterate('ticks', { path });
  }

  @Get('nap')
  nap(@Query('path') path: string) {
    return recorded(this.pool.execute('nap', { path, seconds: 0.4 }));
  }

  @Get('opted-out')
  optedOut(@Query('path') path: string) {
    return recorded(this.pool.execute('nap', { path, seconds: 0.4 }, { signal: null }));
  }

  @Get('own-signal')
  ownSignal(@Query('path') path: string) {
    return recorded(this.pool.execute('nap', { path, seconds: 0.4 }, { signal: new AbortController().signal }));
  }

  @Get('background')
  background(@Query('path') path: string) {
    void recorded(this.pool.execute('nap', { path, seconds: 0.4 }));
    return { started: true };
  }
}

@Controller('asked')
@UseInterceptors(SnakepitDisconnectInterceptor)
class AskedController {
  constructor(private readonly pool: PoolService) {}

  @Get()
  asked(@Query('path') path: string) {
    return recorded(this.pool.execute('linger', { path }));
  }
}

const metadata = (extras: { cancelOnDisconnect?: boolean } = {}) => ({
  imports: [
    SnakepitModule.forRoot({ adapter: python({ module: 'test/fixtures/nest/patient.py' }), size: 4, ...extras }),
  ],
  controllers: [PatientController, AskedController],
});

function client(url: string, route: string, path: string): ClientRequest {
  const sending = request(`${url}/${route}?path=${encodeURIComponent(path)}`);
  sending.on('error', () => {}).end();
  return sending;
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('a client that leaves, on %s,', (_name, adapter) => {
  const scratch = useScratch();

  const serve = async (extras = {}) => {
    outcomes.length = 0;
    const { app, url } = await serveApp(metadata(extras), adapter());
    return { url, pool: app.get(PoolService) };
  };

  it.each(['execute', 'later', 'command', 'asked'])('cancels the call of /%s, and its worker stops', async (route) => {
    const { url, pool } = await serve();
    const path = scratch();
    const leaving = client(url, route, path);
    await entryWith(path, 'began');
    leaving.destroy();
    expect(await entryWith(path, 'ended')).toEqual({ ended: 'cancelled' });
    await waitUntil('the outcome', () => outcomes.length === 1);
    expect(outcomes).toEqual(['CANCELLED']);
    await waitUntil('free hands', () => pool.stats().inFlight === 0);
    expect(pool.stats().restarts).toBe(0);
    expect(await pool.execute('quick', { value: 3 })).toBe(3);
  });

  it('cancels all calls of the request, and none of other requests', async () => {
    const { url, pool } = await serve();
    const [path, other] = [scratch(), scratch()];
    const leaving = client(url, 'both', path);
    const staying = client(url, 'later', other);
    await waitUntil('the calls', () => entriesOf(path).length === 2 && entriesOf(other).length === 1);
    leaving.destroy();
    await waitUntil('their ends', () => entriesOf(path).length === 4);
    expect(outcomes).toEqual(['CANCELLED', 'CANCELLED']);
    expect(entriesOf(other)).toEqual([{ began: true }]);
    await waitUntil('free hands', () => pool.stats().inFlight === 1);
    staying.destroy();
    await entryWith(other, 'ended');
  });

  it.each(['sse', 'sse-command', 'readable', 'iterate'])('stops the stream of /%s', async (route) => {
    const { url, pool } = await serve();
    const path = scratch();
    const leaving = client(url, route, path);
    const [response] = (await once(leaving, 'response')) as [NodeJS.ReadableStream];
    expect(String(await once(response, 'data'))).not.toBe('');
    await entryWith(path, 'began');
    leaving.destroy();
    expect(await entryWith(path, 'ended')).toEqual({ ended: 'cancelled' });
    await waitUntil('free hands', () => pool.stats().inFlight === 0);
    expect(outcomes).toEqual([]);
  });

  it.each(['opted-out', 'own-signal'])('leaves the call of /%s alone', async (route) => {
    const { url } = await serve();
    const path = scratch();
    const leaving = client(url, route, path);
    await entryWith(path, 'began');
    leaving.destroy();
    expect(await entryWith(path, 'ended')).toEqual({ ended: 'in time' });
    await waitUntil('the outcome', () => outcomes.length === 1);
    expect(outcomes).toEqual(['rested']);
  });

  it('leaves a call alone that goes on when the response is complete', async () => {
    const { url } = await serve();
    const path = scratch();
    const agentless = await fetch(`${url}/background?path=${encodeURIComponent(path)}`, {
      headers: { connection: 'close' },
    });
    expect(await agentless.json()).toEqual({ started: true });
    expect(await entryWith(path, 'ended')).toEqual({ ended: 'in time' });
  });

  it('changes nothing with cancelOnDisconnect: false, but where it is asked for', async () => {
    const { url, pool } = await serve({ cancelOnDisconnect: false });
    const [path, asked] = [scratch(), scratch()];
    const leaving = [client(url, 'nap', path), client(url, 'asked', asked)];
    await Promise.all([entryWith(path, 'began'), entryWith(asked, 'began')]);
    for (const each of leaving) each.destroy();
    expect(await entryWith(asked, 'ended')).toEqual({ ended: 'cancelled' });
    expect(await entryWith(path, 'ended')).toEqual({ ended: 'in time' });
    await waitUntil('free hands', () => pool.stats().inFlight === 0);
  });
});
