import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HTTP_PLATFORMS, DemoApp } from './demo-app.js';
import { DemoClient, type Json } from './demo-client.js';

describe.each(HTTP_PLATFORMS)('on %s', (http) => {
  describe('POST /airports/route', () => {
    let app: DemoApp;
    let demo: DemoClient;

    beforeAll(async () => {
      app = await DemoApp.serving({ env: { SNAKEPIT_HTTP: http } });
      demo = new DemoClient(app);
    });
    afterAll(() => app?.stop());

    it('measures a journey in Python between airports that Nest knows', async () => {
      const { status, body } = await demo.send('POST', '/airports/route', { stops: ['SFO', 'ORD', 'JFK'] });
      expect(status).toBe(200);
      const legs = body['legs'] as Json[];
      expect(legs.map(({ from, to }) => [from, to])).toEqual([
        ['San Francisco International, CA', "Chicago O'Hare International, IL"],
        ["Chicago O'Hare International, IL", 'John F Kennedy Intl, NY'],
      ]);
      // 1,846 and 740 miles.
      expect(legs[0]?.['kilometres']).toBeGreaterThan(2_950);
      expect(legs[0]?.['kilometres']).toBeLessThan(2_985);
      expect(legs[1]?.['kilometres']).toBeGreaterThan(1_180);
      expect(legs[1]?.['kilometres']).toBeLessThan(1_200);
    });

    it('answers many at once, more than there are workers', async () => {
      const stops = ['ANC', 'SEA', 'LAX', 'JFK'];
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => demo.send('POST', '/airports/route', { stops })),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map(({ body }) => body['kilometres'])).size).toBe(1);
    });

    it('tells what the tool did not find', async () => {
      const { status, body } = await demo.send('POST', '/airports/route', { stops: ['SFO', 'XXX', 'YYY'] });
      expect(status).toBe(422);
      expect(body['message']).toBe('There is no airport XXX, YYY.');
    });

    it('refuses what is no code of an airport', async () => {
      expect((await demo.send('POST', '/airports/route', { stops: ['SFO', 'nowhere'] })).status).toBe(400);
    });
  });
});
