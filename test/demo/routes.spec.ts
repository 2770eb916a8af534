import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { waitUntil } from '../support/wait-until.js';
import { HTTP_PLATFORMS, DemoApp, REPOSITORY } from './demo-app.js';
import { collect, DemoClient, events, type Json } from './demo-client.js';

describe.each(HTTP_PLATFORMS)('on %s', (http) => {
  const AIRPORTS = join(REPOSITORY, 'apps/demo/data/airports.csv');

  let folder: string;
  let logs: string;
  let uploads: string;
  let app: DemoApp;
  let demo: DemoClient;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'demo-routes-')));
    logs = join(folder, 'logs');
    uploads = join(folder, 'tmp');
    await mkdir(logs);
    await mkdir(uploads);
    await writeFile(join(logs, 'service.log'), '2026-11-23 10:00:00,000 ERROR shop: deadlock in transaction 7\n');
    await writeFile(join(folder, 'secret.log'), 'nobody reads this\n');
    await symlink(join(folder, 'secret.log'), join(logs, 'escape.log'));
    await symlink(folder, join(logs, 'up'));
    app = await DemoApp.serving({ env: { SNAKEPIT_HTTP: http, DEMO_LOGS: logs, TMPDIR: uploads } });
    demo = new DemoClient(app);
  });

  afterAll(async () => {
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function upload(content: Blob | string, fields: Readonly<Record<string, string>> = {}): FormData {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', typeof content === 'string' ? new Blob([content]) : content, 'table.csv');
    return form;
  }

  const airports = (): Blob => new Blob([readFileSync(AIRPORTS)]);

  /** Folders of requests whose upload is still on disk. */
  async function storedUploads(): Promise<string[]> {
    try {
      return (await readdir(uploads, { recursive: true })).filter((path) => path.includes('request-'));
    } catch (error) {
      // A folder was removed while it was being read.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return await storedUploads();
      throw error;
    }
  }

  interface Column {
    readonly name: string;
    readonly type: string;
    readonly nulls: number;
    readonly min: unknown;
    readonly max: unknown;
  }

  describe('POST /csv/profile', () => {
    it('streams progress of an upload and ends with the statistics of its columns', async () => {
      const items = await demo.items('/csv/profile', upload(airports()));
      expect(items.slice(0, -1).every((item) => item['kind'] === 'progress')).toBe(true);
      expect(items.at(-1)).toMatchObject({ kind: 'result', rows: 3376, delimiter: ',', header: true });
      const columns = items.at(-1)?.['columns'] as Column[];
      expect(columns.map(({ name }) => name)).toContain('latitude');
      expect(columns.find(({ name }) => name === 'latitude')).toMatchObject({ type: 'float', nulls: 0 });
      await waitUntil('the removal of uploads', async () => (await storedUploads()).length === 0);
    });

    it('takes the name of a shipped file in the query or in the body, and options beside an upload', async () => {
      const [inQuery] = (await demo.items('/csv/profile?file=seattle-weather.csv', undefined)).slice(-1);
      const [inBody] = (await demo.items('/csv/profile', { file: 'seattle-weather.csv', top: 1 })).slice(-1);
      expect(inQuery).toMatchObject({ rows: 1461 });
      expect(inBody).toMatchObject({ rows: 1461 });
      const [tabs] = (
        await demo.items('/csv/profile', upload('1|2\n3|4\n', { delimiter: '|', header: 'false' }))
      ).slice(-1);
      expect(tabs).toMatchObject({ rows: 2, delimiter: '|', header: false });
    });

    it('answers with server-sent events unless NDJSON is asked for', async () => {
      const response = await demo.fetch('/csv/profile?file=airports.csv', { method: 'POST' });
      expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      const seen = await collect(events(response));
      expect(seen.at(-2)?.data['kind']).toBe('result');
      expect(seen.at(-1)).toEqual({ event: 'end', data: {} });
    });

    it.each([
      ['no file at all', 400, undefined, 'multipart field `file`'],
      ['an unknown shipped file', 404, { file: 'nope.csv' }, 'airports.csv'],
      ['a path instead of a name', 404, { file: '../workers/README.md' }, 'no shipped file'],
      ['an empty upload', 422, upload(''), 'the file is empty'],
      ['a wrong option', 400, { file: 'airports.csv', top: 'many' }, 'top'],
      ['a form with another field', 400, otherField(), 'Unexpected file field'],
    ])('refuses %s with %i', async (_, status, body, message) => {
      const answer = await demo.send('POST', '/csv/profile', body);
      expect(answer.status).toBe(status);
      expect(String(answer.body['message'])).toContain(message);
      expect(JSON.stringify(answer.body)).not.toContain(folder);
    });

    it('removes a half-way upload when its client leaves', async () => {
      const { hostname, port } = new URL(app.url);
      const half = request({ hostname, port, path: '/csv/profile', method: 'POST' });
      half.on('error', () => undefined);
      half.setHeader('content-type', 'multipart/form-data; boundary=x');
      half.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\r\n');
      half.write('1,2\r\n'.repeat(50_000));
      await waitUntil('the begin of the upload', async () => (await storedUploads()).length > 0);
      half.destroy();
      await waitUntil('the removal of uploads', async () => (await storedUploads()).length === 0);
    });

    it('stops the work when the client leaves', async () => {
      const rows = 'a,1,2.5,2024-01-01\n'.repeat(1_500_000);
      const leaving = new AbortController();
      const { signal } = leaving;
      const response = await demo.fetch('/csv/profile', { method: 'POST', body: upload(rows), signal });
      for await (const { data } of events(response)) {
        expect(data['kind']).toBe('progress');
        break;
      }
      leaving.abort();
      await waitUntil('an idle pool', async () => (await pool('default')).inFlight === 0, 1_000);
      await waitUntil('the removal of uploads', async () => (await storedUploads()).length === 0);
      expect((await pool('default')).errorsByCode['CANCELLED']).toBeGreaterThan(0);
    });
  });

  function otherField(): FormData {
    const form = new FormData();
    form.set('table', new Blob(['a,b\n1,2\n']), 'table.csv');
    return form;
  }

  describe('POST /csv/aggregate', () => {
    it('groups an upload, or a shipped file', async () => {
      const wanted = { column: 'state', operation: 'mean', valueColumn: 'latitude', limit: '1' };
      const [ofUpload] = (await demo.items('/csv/aggregate', upload(airports(), wanted))).slice(-1);
      const [ofShipped] = (await demo.items('/csv/aggregate', { ...wanted, file: 'airports.csv' })).slice(-1);
      expect(ofUpload).toMatchObject({ kind: 'result', groups: 57, results: [{ key: 'AK', count: 263 }] });
      expect(ofShipped?.['results']).toEqual(ofUpload?.['results']);
    });

    it('names the columns there are when it does not know one', async () => {
      const answer = await demo.send('POST', '/csv/aggregate', { file: 'airports.csv', column: 'planet' });
      expect(answer).toMatchObject({ status: 422, body: { statusCode: 422, code: 'REMOTE_ERROR' } });
      expect(answer.body['message']).toContain("no column 'planet'; the columns are iata");
    });
  });

  describe('digits', () => {
    it('recognises at least 95 of 100 digits that the network has never seen', async () => {
      const { body } = await demo.get('/digits/sample?count=359');
      const { images, labels } = body as { images: number[][]; labels: number[] };
      const items = await demo.items<{ index: number; digit: number }>('/digits/classify', { images });
      expect(items.map(({ index }) => index)).toEqual(labels.map((_, index) => index));
      const right = items.filter(({ digit, index }) => digit === labels[index]).length;
      expect(right / labels.length).toBeGreaterThanOrEqual(0.95);
      const info = await demo.get('/digits/info');
      expect(info.body['held_out_accuracy']).toBeCloseTo(right / labels.length, 10);
    });

    it('samples the same images for the same seed', async () => {
      const first = await demo.get('/digits/sample?count=3&seed=5');
      expect(await demo.get('/digits/sample?count=3&seed=5')).toEqual(first);
      expect(first.body['labels']).toHaveLength(3);
    });

    it.each([
      ['of the wrong size', { images: [Array(63).fill(0)] }, 'images.0'],
      ['with a pixel out of range', { images: [Array(64).fill(17)] }, 'images.0.0'],
      ['that is text', { images: ['zero'] }, 'images.0'],
      ['that is missing', { images: [] }, 'images'],
      ['that is not there at all', {}, 'images'],
    ])('refuses an image %s', async (_, body, path) => {
      const answer = await demo.send('POST', '/digits/classify', body);
      expect(answer.status).toBe(400);
      expect(String(answer.body['message'])).toContain(`${path}: `);
    });

    it('refuses a sample of more images than there are', async () => {
      expect((await demo.get('/digits/sample?count=360')).status).toBe(400);
    });
  });

  describe('POST /train', () => {
    it('trains on all workers and reaches an accuracy of 0.9 on what it has not seen', async () => {
      const epochs = await demo.items<Record<string, number>>('/train', { epochs: 8, seed: 7 });
      expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(epochs[0]?.['shards']).toBe(2);
      expect(epochs.at(-1)?.['loss']).toBeLessThan(epochs[0]!['loss']!);
      expect(epochs.at(-1)?.['held_out_accuracy']).toBeGreaterThanOrEqual(0.9);
      const { workers } = (await demo.get('/stats')).body as { workers: { default: { requests: number }[] } };
      expect(workers.default.every(({ requests }) => requests > 0)).toBe(true);
    });

    it('repeats itself with the same seed', async () => {
      const losses = async (): Promise<unknown[]> =>
        (await demo.items('/train', { epochs: 1, hidden: 8, seed: 3 })).map((item) => item['loss']);
      expect(await losses()).toEqual(await losses());
    });

    it('gives the same where a worker hands out the shards, by a tool of the host', async () => {
      const learnt = async (coordinator: string): Promise<unknown[]> => {
        const epochs = await demo.items('/train', { epochs: 2, hidden: 8, seed: 5, coordinator });
        return epochs.map(({ epoch, shards, loss, held_out_accuracy }) => [epoch, shards, loss, held_out_accuracy]);
      };
      const byWorker = await learnt('worker');
      expect(byWorker).toHaveLength(2);
      expect(byWorker).toEqual(await learnt('host'));
    });

    it.each([{ epochs: 0 }, { hidden: 1.5 }, { learningRate: -1 }, { seed: 'x' }])('refuses %o', async (body) => {
      expect((await demo.send('POST', '/train', body)).status).toBe(400);
    });
  });

  interface Pool {
    readonly pool: string;
    readonly inFlight: number;
    readonly pids: readonly number[];
    readonly errorsByCode: Readonly<Record<string, number>>;
    readonly status: string;
  }

  async function pool(name: string): Promise<Pool> {
    const { pools } = (await demo.get('/stats')).body as unknown as { pools: Pool[] };
    return pools.find((each) => each.pool === name)!;
  }

  /** Files that a process has open, where the system tells; undefined elsewhere. */
  function openFiles(pid: number): string[] | undefined {
    const descriptors = `/proc/${pid}/fd`;
    try {
      return readdirSync(descriptors).flatMap((fd) => {
        try {
          return [readlinkSync(join(descriptors, fd))];
        } catch {
          return [];
        }
      });
    } catch {
      return undefined;
    }
  }

  describe('GET /logs/events', () => {
    it('sends comments while the file is silent, its lines when it grows, and stops the worker when the client leaves', async () => {
      const path = join(logs, 'silent.log');
      await writeFile(path, '');
      const leaving = new AbortController();
      const response = await demo.fetch('/logs/events?path=silent.log&heartbeatMs=100', { signal: leaving.signal });
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      const chunks = response.body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
      let text = '';
      const untilSent = async (what: RegExp): Promise<void> => {
        while (!what.test(text)) {
          const { value, done } = await chunks.next();
          if (done === true) throw new Error(`the stream ended with:\n${text}`);
          text += value;
        }
      };
      await untilSent(/^: heartbeat$/m);
      expect(text).not.toContain('"kind":"line"');
      await appendFile(path, '2026-11-23 10:00:00,000 ERROR shop: deadlock in transaction 7\n');
      await untilSent(/^data: \{.*"level":"error".*"kind":"line"/m);
      text = '';
      await untilSent(/^: heartbeat$/m);

      const { pids } = await pool('logs');
      leaving.abort();
      const isIdle = async (): Promise<boolean> =>
        (await pool('logs')).inFlight === 0 && pids.every((pid) => !openFiles(pid)?.includes(path));
      await waitUntil('idle workers with no file open', isIdle);
      expect((await pool('logs')).pids).toEqual(pids);
    });

    it('refuses a heartbeat that nobody can hear', async () => {
      expect(await demo.get('/logs/events?path=service.log&heartbeatMs=0')).toMatchObject({ status: 400 });
    });

    // A refusal gets its status where it comes before Nest has begun the response, and is an event of it later.
    it.each([
      ['a path that climbs out', '..%2Fsecret.log', "'../secret.log' is outside"],
      ['a file that is not there', 'nothing.log', "There is no file 'nothing.log'"],
    ])('refuses %s, by the status or by an event', async (_, path, message) => {
      const response = await demo.fetch(`/logs/events?path=${path}`);
      const text = await response.text();
      expect(text).toContain(message);
      expect([403, 404].includes(response.status) || /^event: error$/m.test(text)).toBe(true);
      expect((await pool('logs')).inFlight).toBe(0);
    });
  });

  describe('GET /logs/tail', () => {
    it('follows a growing file and classifies its lines', async () => {
      const path = join(logs, 'growing.log');
      await writeFile(path, '');
      const leaving = new AbortController();
      const response = await demo.fetch('/logs/tail?path=growing.log', { signal: leaving.signal });
      const lines = events(response);
      await appendFile(path, '2026-11-23 10:00:00,000 ERROR shop: deadlock in transaction 7\n');
      expect((await lines.next()).value?.data).toMatchObject({ kind: 'line', level: 'error', category: 'database' });
      await appendFile(path, '2026-11-23 10:00:01,000 INFO shop: GET /cart HTTP/1.1\n');
      const isLine = async (): Promise<Json> => {
        for (;;) {
          const { data } = (await lines.next()).value!;
          if (data['kind'] === 'line') return data;
        }
      };
      expect(await isLine()).toMatchObject({ level: 'info', category: 'http', line_number: 2 });
      leaving.abort();
      await lines.next().catch(() => undefined);
    });

    it('stops the worker within a second when the client leaves', async () => {
      const path = join(logs, 'service.log');
      const leaving = new AbortController();
      const { signal } = leaving;
      const followers = await Promise.all(
        [1, 2].map(async () => events(await demo.fetch('/logs/tail?path=service.log', { signal }))),
      );
      await Promise.all(followers.map((lines) => lines.next()));
      const { pids } = await pool('logs');
      if (openFiles(pids[0]!) !== undefined) {
        for (const pid of pids) expect(openFiles(pid)).toContain(path);
      }
      // Both workers of the pool are taken: one more follower gets none.
      expect(await demo.get('/logs/tail?path=service.log')).toMatchObject({
        status: 503,
        body: { code: 'QUEUE_TIMEOUT', delivery: 'not-started', retryable: true },
      });
      leaving.abort();
      await Promise.all(followers.map((lines) => lines.next().catch(() => undefined)));
      const isIdle = async (): Promise<boolean> =>
        (await pool('logs')).inFlight === 0 && pids.every((pid) => !openFiles(pid)?.includes(path));
      await waitUntil('idle workers with no file open', isIdle, 1_000);
      expect((await pool('logs')).pids).toEqual(pids);
      const again = await demo.fetch('/logs/tail?path=service.log&follow=false');
      expect((await collect(events(again))).at(-2)?.data).toMatchObject({ kind: 'summary', final: true });
    });

    it('ends the stream with an error event when the worker dies, and serves the next follower', async () => {
      const lines = events(await demo.fetch('/logs/tail?path=service.log'));
      await lines.next();
      const { workers } = (await demo.get('/stats')).body as {
        workers: { logs: { pid: number; inFlight: number }[] };
      };
      process.kill(workers.logs.find(({ inFlight }) => inFlight > 0)!.pid, 'SIGKILL');
      const rest = await collect(lines);
      expect(rest.at(-1)).toMatchObject({ event: 'error', data: { code: 'WORKER_EXITED', statusCode: 503 } });
      await waitUntil('a whole pool', async () => (await pool('logs')).status === 'up');
      expect((await demo.fetch('/logs/tail?path=service.log&follow=false')).status).toBe(200);
    });

    it.each([
      ['a path that climbs out', '../secret.log', 403],
      ['a path that climbs out below', 'up/../../secret.log', 403],
      ['an absolute path', '/etc/passwd', 403],
      ['a file outside that does not exist', '../nothing.log', 403],
      ['a symbolic link to a file outside', 'escape.log', 403],
      ['a symbolic link to a folder outside', 'up/secret.log', 403],
      ['a file that is not there', 'nothing.log', 404],
      ['a folder', '.', 400],
      ['a NUL character', 'service.log\0', 400],
      ['nothing', '', 400],
    ])('refuses %s', async (_, path, status) => {
      const answer = await demo.get(`/logs/tail?path=${encodeURIComponent(path)}`);
      expect(answer.status).toBe(status);
      expect(answer.body['statusCode']).toBe(status);
    });
  });

  describe('sessions', () => {
    async function begin(): Promise<string> {
      const { status, body } = await demo.send('POST', '/sessions', { metadata: { user: 'ada' } });
      expect(status).toBe(201);
      return `/sessions/${String(body['id'])}`;
    }

    it('keeps counters, exact under concurrent calls', async () => {
      const session = await begin();
      await Promise.all(Array.from({ length: 20 }, () => demo.send('POST', `${session}/counters/visits`)));
      const answer = await demo.send('POST', `${session}/counters/visits`, { by: -3 });
      expect(answer).toEqual({ status: 200, body: { name: 'visits', value: 17 } });
      const { body } = await demo.get(session);
      expect(body).toMatchObject({ metadata: { user: 'ada', 'counter:visits': 17 } });
      expect(body['lastWorkerId']).toMatch(/^default-/);
    });

    it('keeps programs and runs them', async () => {
      const session = await begin();
      const program = { name: 'gross', source: 'price * (1 + rate / 100)' };
      const stored = await demo.send('PUT', `${session}/programs/gross`, { source: program.source });
      expect(stored).toEqual({ status: 200, body: program });
      expect((await demo.get(`${session}/programs`)).body).toEqual({ programs: ['gross'] });
      expect((await demo.get(`${session}/programs/gross`)).body).toEqual(program);
      const run = await demo.send('POST', `${session}/programs/gross/run`, { args: { price: 80, rate: 25 } });
      expect(run).toEqual({ status: 200, body: { ...program, value: 100 } });
      expect((await demo.send('DELETE', `${session}/programs/gross`)).status).toBe(204);
      expect((await demo.get(`${session}/programs`)).body).toEqual({ programs: [] });
    });

    it('refuses programs that are none, and runs that lack an argument', async () => {
      const session = await begin();
      const bad = await demo.send('PUT', `${session}/programs/bad`, { source: "__import__('os')" });
      expect(bad.status).toBe(422);
      await demo.send('PUT', `${session}/programs/half`, { source: 'a + b' });
      const run = await demo.send('POST', `${session}/programs/half/run`, { args: { a: 1 } });
      expect(run).toMatchObject({ status: 422, body: { message: 'the program needs an argument b' } });
      expect((await demo.send('POST', `${session}/programs/none/run`)).status).toBe(404);
      expect((await demo.get(`${session}/programs/none`)).status).toBe(404);
    });

    it('knows no session that was never begun, or is over', async () => {
      const session = await begin();
      expect((await demo.send('DELETE', session)).status).toBe(204);
      const requests: [string, string, unknown?][] = [
        ['GET', session],
        ['DELETE', session],
        ['POST', `${session}/counters/visits`],
        ['GET', `${session}/programs`],
        ['PUT', `${session}/programs/a`, { source: '1' }],
        ['POST', `${session}/programs/a/run`],
        ['GET', '/sessions/never'],
      ];
      for (const [method, path, body] of requests) {
        const answer = await demo.send(method, path, body);
        expect(answer).toMatchObject({ status: 404, body: { statusCode: 404, code: 'SESSION_NOT_FOUND' } });
      }
    });

    it('refuses a session that would live shorter than a second', async () => {
      expect((await demo.send('POST', '/sessions', { ttlMs: 5 })).status).toBe(400);
    });
  });

  describe.each(['python', 'node'])('basics on %s', (language) => {
    const compute = (operation: string, a: number, b?: number) =>
      demo.send('POST', `/${language}/compute`, { operation, a, b });

    it('pings, and tells of the process that answers', async () => {
      expect((await demo.get(`/${language}/ping`)).body).toMatchObject({ pong: true });
      const { body } = await demo.get(`/${language}/info`);
      const pids = (await pool(language === 'node' ? 'node' : 'default')).pids;
      expect(pids).toContain(body['pid']);
      expect(body[language]).toMatch(/^\d+\.\d+/);
    });

    it('echoes any JSON as it is', async () => {
      const value = { text: 'Zoë 🐍', list: [1, 2.5, null, true, []], nested: { '': 0, big: 9_007_199_254_740_991 } };
      expect((await demo.send('POST', `/${language}/echo`, value)).body).toEqual(value);
    });

    it('computes', async () => {
      for (const [operation, result] of Object.entries({ add: 8, subtract: 4, multiply: 12, divide: 3, power: 36 })) {
        expect((await compute(operation, 6, 2)).body).toEqual({ result });
      }
      expect((await compute('sqrt', 2.25)).body).toEqual({ result: 1.5 });
    });

    it.each([
      [422, 'divide', 1, 0, 'division by zero'],
      [422, 'sqrt', -1, 0, 'square root of a negative number'],
      [422, 'power', 10, 400, 'no finite number'],
      [400, 'modulo', 1, 2, 'operation'],
    ] as const)('answers %i to %s of %f and %f', async (status, operation, a, b, message) => {
      const answer = await compute(operation, a, b);
      expect(answer.status).toBe(status);
      expect(answer.body['statusCode']).toBe(status);
      expect(String(answer.body['message'])).toContain(message);
    });

    it('draws random numbers, the same for the same seed', async () => {
      const draw = async (query: string): Promise<number[]> =>
        (await demo.get(`/${language}/random?${query}`)).body['numbers'] as number[];
      const drawn = await draw('n=1000');
      expect(drawn).toHaveLength(1000);
      expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true);
      expect(new Set(drawn).size).toBeGreaterThan(990);
      expect(await draw('n=5&seed=7')).toEqual(await draw('n=5&seed=7'));
      expect(await draw('n=5&seed=7')).not.toEqual(await draw('n=5&seed=8'));
      expect((await demo.get(`/${language}/random?n=0`)).status).toBe(400);
    });
  });

  describe('operations', () => {
    it('is ready while every pool can serve, and alive', async () => {
      const ready = await demo.get('/health');
      expect(ready).toMatchObject({ status: 200, body: { status: 'ok' } });
      expect(JSON.stringify(ready.body)).toContain('"node"');
      expect((await demo.get('/health/live')).status).toBe(200);
    });

    it('counts pools, workers and sessions', async () => {
      const { body } = await demo.get('/stats');
      expect((body['pools'] as Pool[]).map((each) => each.pool)).toEqual(['default', 'logs', 'libraries', 'node']);
      expect(body['sessions']).toMatchObject({ expired: 0 });
    });

    it('describes every route where / leads to', async () => {
      expect(await (await demo.fetch('/')).text()).toContain(http === 'express' ? 'swagger-ui' : '"openapi"');
      const { body } = await demo.get('/docs-json');
      expect(Object.keys(body['paths'] as Json)).toEqual(
        expect.arrayContaining([
          '/csv/profile',
          '/digits/classify',
          '/logs/tail',
          '/logs/events',
          '/train',
          '/sessions/{id}',
          '/health',
        ]),
      );
    });

    it('answers 404 in JSON where there is no route', async () => {
      expect(await demo.get('/ruby/ping')).toMatchObject({ status: 404, body: { statusCode: 404 } });
    });
  });
});
