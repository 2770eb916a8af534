import { StandardSchemaValidationPipe, type INestApplication } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { SnakepitModule } from 'nestjs-snakepit';
import { SnakepitTesting, SnakepitTestingModule } from 'nestjs-snakepit/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { DigitsModule } from '../../apps/demo/src/digits/digits.module.js';
import { HTTP_STATUSES } from '../../apps/demo/src/errors/http-statuses.js';
import { poolOptions } from '../../apps/demo/src/pools.js';

const IMAGE_PIXELS = 64;

/** The commands that the routes of digits call; what they recognize is beside the point. */
const commands = {
  async *classify_digits({ images }: { images: number[][] }) {
    for (const [index, image] of images.entries()) {
      if (image.some((pixel) => pixel > 16)) throw new RangeError(`image ${index} has pixels above 16`);
      yield { index, digit: index % 10, confidence: 1, probabilities: [] };
    }
  },
  digits_sample: ({ count, seed }: { count: number; seed: number | null }) => ({
    images: Array.from({ length: count }, () => Array.from({ length: IMAGE_PIXELS }, () => 0)),
    labels: Array.from({ length: count }, (_, n) => n + (seed ?? 0)),
  }),
  digits_info: () => ({ parameters: 1 }),
};

describe('the routes of digits, without Python', () => {
  let app: INestApplication;
  let testing: SnakepitTesting;

  beforeEach(async () => {
    const options = poolOptions({ DEMO_WORKERS: 2, SNAKEPIT_TRANSPORT: 'fd' });
    const fakes = Object.fromEntries(Object.keys(options.pools).map((pool) => [pool, { commands }]));
    const module = await Test.createTestingModule({
      imports: [
        SnakepitModule.forRoot({ ...options, httpStatuses: HTTP_STATUSES }),
        DigitsModule,
        SnakepitTestingModule.forRoot(fakes),
      ],
      providers: [{ provide: APP_PIPE, useClass: StandardSchemaValidationPipe }],
    }).compile();
    app = module.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    testing = app.get(SnakepitTesting);
  });
  afterEach(() => app.close());

  const get = async (path: string): Promise<Response> => fetch((await app.getUrl()) + path);
  const classify = async (images: readonly (readonly number[])[]): Promise<Response> =>
    fetch(`${await app.getUrl()}/digits/classify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' },
      body: JSON.stringify({ images }),
    });
  const image = (pixel: number): number[] => Array.from({ length: IMAGE_PIXELS }, () => pixel);

  it('pass what is asked for on to the command, and its answer back', async () => {
    const response = await get('/digits/sample?count=2&seed=5');
    expect(await response.json()).toMatchObject({ labels: [5, 6] });
    expect(testing.calls('digits_sample')).toMatchObject([{ args: { count: 2, seed: 5 } }]);
  });

  it('stream an item for each image', async () => {
    const lines = (await (await classify([image(0), image(1), image(2)])).text()).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { index: number }).index)).toEqual([0, 1, 2]);
  });

  it('refuse by 422 what the command refuses, and by 400 what needs not get that far', async () => {
    testing.faults().failNext('classify_digits', { type: 'ValueError', message: 'no digit' });
    const refused = await classify([image(0)]);
    expect([refused.status, await refused.json()]).toEqual([
      422,
      {
        statusCode: 422,
        code: 'REMOTE_ERROR',
        message: 'no digit',
        delivery: 'ran',
        retryable: false,
        remote: { type: 'ValueError', message: 'no digit' },
      },
    ]);
    expect((await get('/digits/sample?count=none')).status).toBe(400);
    expect(testing.calls()).toEqual([]);
  });

  it('make a call again whose worker dies, where that may be', async () => {
    const fault = testing.faults().crashNext('digits_info');
    const response = await get('/digits/info');
    expect(response.status).toBe(200);
    expect(fault.hits).toBe(1);
  });
});
