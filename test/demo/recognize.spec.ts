import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HTTP_PLATFORMS, DemoApp } from './demo-app.js';
import { DemoClient } from './demo-client.js';

describe.each(HTTP_PLATFORMS)('on %s', (http) => {
  let app: DemoApp;
  let demo: DemoClient;

  beforeAll(async () => {
    app = await DemoApp.serving({ env: { SNAKEPIT_HTTP: http } });
    demo = new DemoClient(app);
  });
  afterAll(() => app?.stop());

  describe('POST /digits/recognize', () => {
    it('answers each of many requests with its own digit, and asks the network for several at once', async () => {
      const { body: sample } = await demo.get('/digits/sample?count=200&seed=7');
      const { images, labels } = sample as { images: number[][]; labels: number[] };
      const answers = await Promise.all(images.map((image) => demo.send('POST', '/digits/recognize', { image })));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      const right = answers.filter(({ body }, index) => body['digit'] === labels[index]).length;
      expect(right).toBeGreaterThanOrEqual(190);
      // One after the other, the same images give the same answers.
      for (const index of [0, 50, 199]) {
        const { body } = await demo.send('POST', '/digits/recognize', { image: images[index] });
        expect(body).toMatchObject({ digit: answers[index]!.body['digit'], together: 1 });
        expect(body['confidence']).toBeCloseTo(answers[index]!.body['confidence'] as number, 9);
      }
      expect(Math.max(...answers.map(({ body }) => body['together'] as number))).toBeGreaterThan(1);
      const { body: stats } = await demo.get('/stats');
      const batches = JSON.stringify(stats).match(/"recognize_digit":\{[^}]*\}/)?.[0];
      expect(batches).toMatch(/"maxSize":64/);
    });

    it('refuses an image of the wrong size', async () => {
      expect(await demo.send('POST', '/digits/recognize', { image: [1, 2, 3] })).toMatchObject({ status: 400 });
    });
  });
});
