import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HTTP_PLATFORMS, DemoApp } from './demo-app.js';
import { DemoClient, type Json } from './demo-client.js';

describe.each(HTTP_PLATFORMS)('on %s', (http) => {
  describe('GET /weather', () => {
    let app: DemoApp;
    let demo: DemoClient;

    beforeAll(async () => {
      app = await DemoApp.serving({ env: { SNAKEPIT_HTTP: http } });
      demo = new DemoClient(app);
    });
    afterAll(() => app?.stop());

    it('finds the extremes of a year in Python, by limits that a controller answers', async () => {
      const { status, body } = await demo.get('/weather/extremes?year=2015');
      expect(status).toBe(200);
      expect(body).toMatchObject({ year: 2015, days: 365, limits: { hot: 33, cold: -5, wet: 40, windy: 9 } });
      const extremes = body['extremes'] as Json[];
      expect(extremes.filter(({ kind }) => kind === 'hot')).toHaveLength(9);
      expect(extremes.every(({ date }) => String(date).startsWith('2015-'))).toBe(true);
    });

    it('describes a year by Python’s own library, which has no worker of ours', async () => {
      const { status, body } = await demo.get('/weather/distribution?year=2013&measure=temp_max');
      expect(status).toBe(200);
      expect(body).toMatchObject({ days: 365 });
      expect(body['mean']).toBeCloseTo(16.06, 2);
      expect(body['deciles']).toHaveLength(9);
      expect((await demo.get('/weather/distribution?year=1900&measure=wind')).status).toBe(404);
      expect((await demo.get('/weather/distribution?year=2013&measure=os')).status).toBe(400);
    });

    it('hears of each extreme by an event', async () => {
      const before = (await demo.get('/weather/journal')).body as Record<string, number>;
      const { body } = await demo.get('/weather/extremes?year=2013');
      const found = (body['extremes'] as Json[]).filter(({ kind }) => kind === 'cold').length;
      const after = (await demo.get('/weather/journal')).body as Record<string, number>;
      expect(found).toBe(2);
      expect(after['cold']! - before['cold']!).toBe(found);
    });

    it('tells why the controller refused to answer', async () => {
      const { status, body } = await demo.get('/weather/extremes?year=1999');
      expect(status).toBe(422);
      expect(body['message']).toBe('There are no measurements of 1999, only of 2012 to 2015.');
      expect((await demo.get('/weather/extremes?year=soon')).status).toBe(400);
    });
  });
});
