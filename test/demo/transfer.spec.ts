import { createHash, type Hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { waitUntil } from '../support/wait-until.js';
import { HTTP_PLATFORMS, DemoApp, REPOSITORY } from './demo-app.js';
import { DemoClient, type Json } from './demo-client.js';

const MB = 1024 * 1024;
/** 2048 is the size that is promised; see docs/http.md. */
const UPLOAD_MB = Number(process.env['SNAKEPIT_UPLOAD_MB'] ?? 256);
/** What host and worker may take more than before, however much passes through: far below what is uploaded. */
const MAX_GROWTH_BYTES = 64 * MB;
const LOG = readFileSync(join(REPOSITORY, 'apps/demo/data/logs/access.log'));
const LINE =
  '203.0.113.9 - - "GET /airports/SEA HTTP/1.1" 200 5120 "-" "curl/8.5.0" and what else there is to tell of it\n';

const run = promisify(pipeline);
const OCTETS = { 'content-type': 'application/octet-stream' };

/** `lines` lines in chunks of 64 KB or so; `onSent` hears of each that was taken. */
function* linesOf(lines: number, line: string, onSent: (bytes: number) => void = () => {}): Generator<Buffer> {
  const each = 1_000;
  const chunk = Buffer.from(line.repeat(each));
  for (let left = lines; left > 0; left -= each) {
    const bytes = left >= each ? chunk : chunk.subarray(0, left * line.length);
    onSent(bytes.length);
    yield bytes;
  }
}

interface Exchange {
  readonly sending: ClientRequest;
  readonly response: Promise<IncomingMessage>;
  readonly sent: Promise<void>;
}

/** Sends a body without end of its own to a route, and takes the response while it does. */
function exchange(url: string, body: Iterable<Buffer> | AsyncIterable<Buffer>): Exchange {
  const sending = request(url, { method: 'POST', headers: OCTETS });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    sending.once('response', resolve).once('error', reject);
  });
  // Some cases are about what happens to others when this fails.
  response.catch(() => {});
  return { sending, response, sent: run(Readable.from(body, { objectMode: false }), sending) };
}

/** The most memory that a process has had. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

describe.each(HTTP_PLATFORMS)('files that are being uploaded, on %s', (http) => {
  let app: DemoApp;
  let demo: DemoClient;

  beforeAll(async () => {
    app = await DemoApp.serving({ env: { SNAKEPIT_HTTP: http } });
    demo = new DemoClient(app);
  });

  afterAll(() => app?.stop());

  const post = (
    path: string,
    body: NonNullable<RequestInit['body']>,
    headers: Record<string, string> = OCTETS,
  ): Promise<Response> => demo.fetch(path, { method: 'POST', headers, body });

  interface PoolFacts {
    readonly pids: number[];
    readonly inFlight: number;
    readonly restarts: number;
  }
  async function poolFacts(): Promise<PoolFacts> {
    const { pools } = (await demo.get('/stats')).body as { pools: Array<PoolFacts & { pool: string }> };
    return pools.find(({ pool }) => pool === 'default')!;
  }
  const untilIdle = (): Promise<unknown> => waitUntil('idle workers', async () => (await poolFacts()).inFlight === 0);

  it('are filtered, compressed and summarized', async () => {
    const filtered = await post('/transfer/filter?text=%20404%20', LOG);
    expect(filtered.status).toBe(200);
    expect(filtered.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const found = (LOG.toString().match(/^.* 404 .*\n/gm) ?? []).join('');
    expect(found.length).toBeGreaterThan(100);
    expect(await filtered.text()).toBe(found);
    const zipped = await post('/transfer/gzip?level=9', LOG);
    expect(zipped.headers.get('content-type')).toBe('application/gzip');
    expect(gunzipSync(Buffer.from(await zipped.arrayBuffer()))).toEqual(LOG);
    const sha256 = createHash('sha256').update(LOG).digest('hex');
    const lines = LOG.toString().split('\n').length - 1;
    expect(await (await post('/transfer/summary', LOG)).json()).toEqual({ bytes: LOG.length, lines, sha256 });
  });

  it('are answered while they are still being sent', async () => {
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { response, sent } = exchange(
      `${app.url}/transfer/filter?text=SEA`,
      (async function* () {
        yield Buffer.from(LINE);
        await gate;
        yield Buffer.from(LINE);
      })(),
    );
    const chunks = (await response).setEncoding('utf8')[Symbol.asyncIterator]();
    expect((await chunks.next()).value).toBe(LINE);
    goOn();
    expect((await chunks.next()).value).toBe(LINE);
    expect((await chunks.next()).done).toBe(true);
    await sent;
  });

  it('that were read by a body parser are refused with what is wrong', async () => {
    const response = await post('/transfer/summary', '{}', { 'content-type': 'application/json' });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: 'INVALID_ARGUMENTS',
      message: expect.stringContaining('read to its end before, as by a body parser') as string,
    });
  });

  it('get an answer of 4xx where the command refuses them, and the connection goes on', async () => {
    const response = await post('/transfer/gzip?level=12', LOG);
    expect(response.status).toBe(400);
    expect((await post('/transfer/summary', LOG)).status).toBe(200);
  });

  it.each(['summary', 'filter?text=SEA'])('cost /%s nothing more when their client leaves', async (route) => {
    const { restarts } = await poolFacts();
    const endless = (async function* () {
      for (;;) {
        yield Buffer.from(LINE.repeat(1_000));
        await sleep(1);
      }
    })();
    const { sending, sent } = exchange(`${app.url}/transfer/${route}`, endless);
    sent.catch(() => {});
    sending.on('error', () => {}).on('response', (response) => response.resume().on('error', () => {}));
    await waitUntil('the work', async () => (await poolFacts()).inFlight === 1);
    sending.destroy();
    await untilIdle();
    expect((await poolFacts()).restarts).toBe(restarts);
    expect((await post('/transfer/summary', LOG)).status).toBe(200);
  });

  it('wait where the client does not read what comes back', async () => {
    let sentBytes = 0;
    const lines = Math.ceil((96 * MB) / LINE.length);
    const { response, sent } = exchange(
      `${app.url}/transfer/filter?text=SEA`,
      linesOf(lines, LINE, (bytes) => (sentBytes += bytes)),
    );
    const answer = await response;
    // Nobody reads: what fits into buffers on the way is taken, and then nothing more.
    const stalled = await waitUntil('the upload to stall', async () => {
      const before = sentBytes;
      await sleep(500);
      return sentBytes === before && sentBytes;
    });
    expect(stalled).toBeLessThan(64 * MB);
    let bytes = 0;
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
    await sent;
    expect(bytes).toBe(lines * LINE.length);
  });

  it.runIf(process.platform === 'linux')(
    `of ${UPLOAD_MB} MB pass through a Python worker and back in constant memory`,
    { timeout: 60_000 + UPLOAD_MB * 500 },
    async () => {
      const through = async (bytes: number, expected: Hash | undefined): Promise<string> => {
        const lines = Math.ceil(bytes / LINE.length);
        if (expected !== undefined) for (const chunk of linesOf(lines, LINE)) expected.update(chunk);
        const { response, sent } = exchange(`${app.url}/transfer/filter?text=SEA`, linesOf(lines, LINE));
        const hash = createHash('sha256');
        for await (const chunk of await response) hash.update(chunk as Buffer);
        await sent;
        return hash.digest('hex');
      };
      // Every worker has then what it needs for any upload.
      await Promise.all([through(16 * MB, undefined), through(16 * MB, undefined)]);
      const pids = [app.pid, ...(await poolFacts()).pids];
      const before = pids.map(peakOf);
      const expected = createHash('sha256');
      const began = performance.now();
      expect(await through(UPLOAD_MB * MB, expected)).toBe(expected.digest('hex'));
      const seconds = (performance.now() - began) / 1_000;
      const growths = pids.map((pid, index) => peakOf(pid) - before[index]!);
      const told = growths.map((bytes) => (bytes / MB).toFixed(1)).join(', ');
      console.log(
        `${UPLOAD_MB} MB on ${http} in ${seconds.toFixed(1)} s; peaks of host and workers grew by ${told} MB`,
      );
      expect(Math.max(...growths)).toBeLessThan(MAX_GROWTH_BYTES);
    },
  );

  it('leave the other routes as they are', async () => {
    expect((await demo.get('/python/ping')).status).toBe(200);
    expect((await demo.get('/node/ping')).body['language'] ?? 'node').toBe('node');
    expect((await demo.send('POST', '/python/compute', { operation: 'add', a: 1, b: 2 })).status).toBe(200);
    const bad = await demo.send('POST', '/python/compute', { operation: 'divide', a: 1, b: 0 });
    expect(bad.status).toBe(422);
    const epochs = await demo.items<Json>('/train', { epochs: 2 });
    expect(epochs.filter(({ kind }) => kind === 'epoch')).toHaveLength(2);
    const created = await demo.fetch('/sessions', { method: 'POST' });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toMatch(/^\/sessions\//);
    expect((await demo.get('/docs-json')).body['paths']).toHaveProperty('/transfer/filter');
    expect((await demo.get('/health')).status).toBe(200);
  });
});
