import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Exposition } from '../support/exposition.js';
import { waitUntil } from '../support/wait-until.js';
import { HTTP_PLATFORMS, DemoApp } from './demo-app.js';
import { DemoClient, type Json } from './demo-client.js';

describe.each(HTTP_PLATFORMS)('on %s', (http) => {
  let app: DemoApp;
  let demo: DemoClient;

  beforeAll(async () => {
    app = await DemoApp.serving({ env: { SNAKEPIT_HTTP: http, LOG_FORMAT: 'json' } });
    demo = new DemoClient(app);
  });

  afterAll(() => app?.stop());

  async function scrape(): Promise<Exposition> {
    const response = await demo.fetch('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    return new Exposition(await response.text());
  }

  function logLines(): Json[] {
    return app.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Json);
  }

  it('counts calls at /metrics, and the rows that a worker has read', async () => {
    const profile = (await demo.items('/csv/profile', { file: 'airports.csv' })).at(-1);
    expect((await demo.send('POST', '/python/echo', { hello: 'world' })).status).toBeLessThan(300);
    const page = await scrape();
    const labels = { pool: 'default', command: 'csv_profile', kind: 'stream', outcome: 'ok' };
    expect(page.value('snakepit_calls_total', labels)).toBe(1);
    expect(page.value('demo_csv_rows_total', { pool: 'default', command: 'csv_profile' })).toBe(profile?.['rows']);
    expect(page.value('demo_csv_file_rows_bucket', { le: '1000' })).toBe(0);
    expect(page.value('demo_csv_file_rows_bucket', { le: '10000' })).toBe(1);
    expect(page.value('snakepit_pool_status', { pool: 'node', status: 'up' })).toBe(1);
  });

  it('writes what workers log as one line of JSON each, with the call that it belongs to', async () => {
    await demo.items('/csv/profile', { file: 'airports.csv' });
    const line = await waitUntil('the record', () =>
      logLines().find(({ message }) => message === 'profiled 3376 rows'),
    );
    expect(line).toMatchObject({
      level: 'log',
      context: expect.stringMatching(/^Snakepit\/default-\d+$/) as string,
      params: {
        logger: 'demo.csv',
        pool: 'default',
        worker: expect.stringMatching(/^default-\d+$/) as string,
        command: 'csv_profile',
        call: expect.any(Number) as number,
        rows: 3376,
      },
    });
  });
});
