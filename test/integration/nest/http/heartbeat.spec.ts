import 'reflect-metadata';
import { request, type IncomingMessage } from 'node:http';
import { Controller, Query, Sse } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { PoolService, python, SnakepitModule, withHeartbeat } from 'nestjs-snakepit';
import { NEVER, of, Subject, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { entryWith, useScratch } from '../../../support/records.js';
import { waitUntil } from '../../../support/wait-until.js';
import { serveApp } from '../support/apps.js';

@Controller()
class BeatController {
  constructor(private readonly pool: PoolService) {}

  @Sse('silent')
  silent(@Query('path') path: string) {
    return this.pool.stream<string>('silent', { path, seconds: 0.6 }).pipe(withHeartbeat(100));
  }

  @Sse('ticks')
  ticks(@Query('path') path: string) {
    return this.pool.stream<number>('ticks', { path }).pipe(withHeartbeat(100));
  }
}

const metadata = {
  imports: [SnakepitModule.forRoot({ adapter: python({ module: 'test/fixtures/nest/patient.py' }), size: 1 })],
  controllers: [BeatController],
};

function open(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => request(url).on('error', reject).on('response', resolve).end());
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('server-sent events with heartbeats on %s', (_name, adapter) => {
  const scratch = useScratch();

  it('beat while the command is silent, and end with it', async () => {
    const { url } = await serveApp(metadata, adapter());
    const response = await fetch(`${url}/silent?path=${encodeURIComponent(scratch())}`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(text).toMatch(/data: first\n\n(?:: heartbeat\n\n){3,6}id: 2\ndata: last\n\n$/);
  });

  it('stop with the client, and the command with them', async () => {
    const { app, url } = await serveApp(metadata, adapter());
    const path = scratch();
    const response = await open(`${url}/ticks?path=${encodeURIComponent(path)}`);
    response.on('error', () => {}).resume();
    await entryWith(path, 'began');
    response.destroy();
    await entryWith(path, 'ended');
    await waitUntil('free hands', () => app.get(PoolService).stats().inFlight === 0);
  });
});

describe('withHeartbeat', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const BEAT = { comment: 'heartbeat' };

  it('beats whenever there was nothing for so long, 15 seconds by default', () => {
    const source = new Subject<string>();
    const heard: unknown[] = [];
    source.pipe(withHeartbeat()).subscribe((item) => heard.push(item));
    vi.advanceTimersByTime(14_999);
    source.next('late');
    vi.advanceTimersByTime(14_999);
    expect(heard).toEqual(['late']);
    vi.advanceTimersByTime(15_001);
    expect(heard).toEqual(['late', BEAT, BEAT]);
  });

  it.each([
    ['completes', of(1)],
    ['fails', throwError(() => new Error('no'))],
  ])('leaves no timer when the source %s', (_, source) => {
    const ends: string[] = [];
    source.pipe(withHeartbeat<unknown>(10)).subscribe({
      next: () => {},
      complete: () => ends.push('complete'),
      error: () => ends.push('error'),
    });
    expect(ends).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer when its subscriber leaves', () => {
    const subscription = NEVER.pipe(withHeartbeat(10)).subscribe();
    expect(vi.getTimerCount()).toBe(1);
    subscription.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends a heartbeat of your own', () => {
    const heard: unknown[] = [];
    NEVER.pipe(withHeartbeat<unknown>(10, 'beat')).subscribe((item) => heard.push(item));
    vi.advanceTimersByTime(10);
    expect(heard).toEqual(['beat']);
  });

  it.each([0, -1, Number.NaN, Infinity, 2 ** 31])('refuses %d milliseconds', (ms) => {
    expect(() => withHeartbeat(ms)).toThrow(RangeError);
  });
});
