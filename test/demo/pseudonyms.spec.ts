import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { waitUntil } from '../support/wait-until.js';
import { HTTP_PLATFORMS, DemoApp } from './demo-app.js';
import { DemoClient, type Json } from './demo-client.js';

describe.each(HTTP_PLATFORMS)('on %s', (http) => {
  describe('POST /pseudonyms', () => {
    let app: DemoApp;
    let demo: DemoClient;

    beforeAll(async () => {
      app = await DemoApp.serving({ env: { SNAKEPIT_HTTP: http } });
      demo = new DemoClient(app);
    });
    afterAll(() => app?.stop());

    const post = async (headers: Record<string, string>, values: readonly string[] = ['ada', 'alan']) => {
      const init = {
        method: 'POST',
        body: JSON.stringify({ values }),
        headers: { ...headers, 'content-type': 'application/json' },
      };
      const response = await demo.fetch('/pseudonyms', init);
      return {
        status: response.status,
        id: response.headers.get('x-correlation-id'),
        body: (await response.json()) as Json,
      };
    };

    it('reaches a worker with the tenant and the correlation id of its request, many side by side', async () => {
      const tenants = Array.from({ length: 20 }, (_, n) => `tenant-${n}`);
      const answers = await Promise.all(
        tenants.map((tenant) => post({ 'x-tenant': tenant, 'x-correlation-id': `c-${tenant}` })),
      );
      expect(answers).toMatchObject(
        tenants.map((tenant) => ({ status: 200, id: `c-${tenant}`, body: { tenant, correlation_id: `c-${tenant}` } })),
      );
      const all = answers.flatMap(({ body }) => body['pseudonyms'] as string[]);
      expect(new Set(all).size).toBe(40);
      expect((await post({ 'x-tenant': 'tenant-3' })).body['pseudonyms']).toEqual(answers[3]!.body['pseudonyms']);
    });

    it("leaves the correlation id in the worker's log", async () => {
      await post({ 'x-tenant': 'acme', 'x-correlation-id': 'c-of-the-log' });
      await waitUntil('the record', () => app.output.includes('pseudonymized') && app.output.includes('c-of-the-log'));
    });

    it('has an id of its own for a request without one', async () => {
      const { id, body } = await post({});
      expect(id).toMatch(/^[0-9a-f-]{36}$/);
      expect(body).toMatchObject({ tenant: 'public', correlation_id: id });
    });

    it('refuses what is no list of texts', async () => {
      expect((await post({}, [])).status).toBe(400);
    });
  });
});
