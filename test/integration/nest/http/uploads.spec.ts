import 'reflect-metadata';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { PoolService, python, RequestStream, SnakepitModule, type SnakepitError } from 'nestjs-snakepit';
import { describe, expect, it } from 'vitest';

import { waitUntil } from '../../../support/wait-until.js';
import { serveApp } from '../support/apps.js';

const MB = 1024 * 1024;
const OCTETS = { 'content-type': 'application/octet-stream' };
const failures: SnakepitError[] = [];

@Controller()
class UploadController {
  constructor(private readonly pool: PoolService) {}

  @Post('run/:command')
  @HttpCode(200)
  async run(@Param('command') command: string, @RequestStream() input: IncomingMessage) {
    try {
      return { result: await this.pool.execute(command, null, { input }) };
    } catch (error) {
      failures.push(error as SnakepitError);
      throw error;
    }
  }

  @Post('readable/:command')
  @HttpCode(200)
  readable(@Param('command') command: string, @RequestStream() input: IncomingMessage) {
    return this.pool.readable(command, null, { input });
  }
}

const ADAPTERS = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
  [
    'Fastify with a parser of its own',
    () => {
      const adapter = new FastifyAdapter();
      adapter.getInstance().addContentTypeParser('application/octet-stream', (_request, _body, done) => done(null));
      return adapter;
    },
  ],
] as const;

describe.each(ADAPTERS)('an upload on %s', (_name, adapter) => {
  const serve = async () => {
    failures.length = 0;
    const { app, url } = await serveApp(
      {
        imports: [SnakepitModule.forRoot({ adapter: python({ module: 'test/fixtures/inputs/commands.py' }), size: 1 })],
        controllers: [UploadController],
      },
      adapter(),
    );
    return { url, pool: app.get(PoolService) };
  };
  const post = async (url: string, body: Buffer, agent: Agent) => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, { method: 'POST', headers: OCTETS, agent }).on('error', reject).on('response', resolve).end(body);
    });
    return { status: response.statusCode, body: JSON.parse(await textOf(response)) as Record<string, unknown> };
  };

  it('that is refused, or not read to its end, gets its answer on a connection that goes on', async () => {
    const { url } = await serve();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const body = Buffer.alloc(20 * MB, 'x');
    try {
      expect(await post(`${url}/run/no_such_command`, body, agent)).toMatchObject({
        status: 404,
        body: { code: 'UNKNOWN_COMMAND' },
      });
      expect(await post(`${url}/run/ignore`, body, agent)).toEqual({ status: 200, body: { result: 'ignored' } });
      expect(await post(`${url}/run/first`, body, agent)).toMatchObject({ status: 422, body: { field: 'args.count' } });
      // Fails after it has read.
      expect(await post(`${url}/run/fail_after_a_chunk`, body, agent)).toMatchObject({ status: 500 });
      expect(await post(`${url}/readable/no_such_command`, body, agent)).toMatchObject({ status: 404 });
      expect(await post(`${url}/run/digest`, body, agent)).toMatchObject({ body: { result: { bytes: 20 * MB } } });
    } finally {
      agent.destroy();
    }
  });

  it('whose client leaves half-way fails its call with CANCELLED', async () => {
    const { url, pool } = await serve();
    const sending = request(`${url}/run/digest`, { method: 'POST', headers: { ...OCTETS, 'content-length': MB } });
    sending.on('error', () => {}).write('half');
    await waitUntil('the call', () => pool.stats().inFlight === 1);
    sending.destroy();
    await waitUntil('its end', () => failures.length === 1);
    expect(failures[0]).toMatchObject({ code: 'CANCELLED', delivery: 'may-have-run' });
    await waitUntil('free hands', () => pool.stats().inFlight === 0);
    expect(pool.stats().restarts).toBe(0);
  });

  it('without a body is an empty input', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/run/digest`, { method: 'POST', headers: OCTETS });
    expect(await response.json()).toMatchObject({ result: { bytes: 0 } });
  });

  it('becomes the response of a readable, and a failure before the first byte the status', async () => {
    const { url } = await serve();
    const shouted = await fetch(`${url}/readable/shout`, { method: 'POST', headers: OCTETS, body: 'hello' });
    expect(await shouted.text()).toBe('HELLO');
    const failed = await fetch(`${url}/readable/fail_after_a_chunk`, {
      method: 'POST',
      headers: OCTETS,
      body: 'hello',
    });
    expect([failed.status, ((await failed.json()) as { code: string }).code]).toEqual([500, 'REMOTE_ERROR']);
  });

  it('breaks the response off where the command fails in the middle of it', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/readable/shout_then_fail`, { method: 'POST', headers: OCTETS, body: 'hello' });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
  });
});
