import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PageApp } from './page-app.js';

const json = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('docs/ruby.md', () => {
  let page: PageApp;
  beforeAll(async () => {
    page = await PageApp.compiled('ruby.md');
  }, 60_000);
  afterAll(() => page?.remove());

  it('is an application that does what it says', async () => {
    await page.serve(async (url) => {
      expect(await json(`${url}/gross?net=100`)).toEqual({ gross: 119 });
      expect(await json(`${url}/gross?net=10&country=FR`)).toEqual({ gross: 12 });
      expect(await json(`${url}/gross?net=10&country=XX`)).toMatchObject({
        statusCode: 422,
        code: 'INVALID_ARGUMENTS',
        field: 'args.country',
      });
      const events = await (await fetch(`${url}/countdown?from=2`)).text();
      expect([...events.matchAll(/data: (.*)/g)].map(([, data]) => data)).toEqual(['2', '1', '0']);
      expect(await json(`${url}/remember?session=ann&amount=5`)).toEqual({ total: 5 });
      expect(await json(`${url}/remember?session=ann&amount=6`)).toEqual({ total: 11 });
    });
  }, 60_000);
});
