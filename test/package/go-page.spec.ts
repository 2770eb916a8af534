import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PageApp } from './page-app.js';
import { repository } from './readme-blocks.js';

const MODULE = 'nestjs-snakepit/snakepit';

describe('docs/go.md', () => {
  let page: PageApp;
  beforeAll(async () => {
    page = await PageApp.compiled('go.md');
    // The SDK is part of the package only when that is packed.
    const replace = `-replace=${MODULE}=${join(repository, 'bridges/go')}`;
    await promisify(execFile)('go', ['mod', 'edit', replace], { cwd: join(page.folder, 'workers/report') });
  }, 60_000);
  afterAll(() => page.remove());

  it('is an application that does what it says', async () => {
    await page.serve(async (url) => {
      expect(await (await fetch(`${url}/summary?amounts=1,2,3.5`)).json()).toEqual({ count: 3, total: 6.5 });
      const failed = await fetch(`${url}/summary?amounts=1,-2`);
      expect(failed.status).toBe(500);
      const events = await (await fetch(`${url}/countdown`)).text();
      expect([...events.matchAll(/data: (.*)/g)].map(([, data]) => JSON.parse(data!))).toEqual([
        { left: 3 },
        { left: 2 },
        { left: 1 },
      ]);
      expect(await (await fetch(`${url}/wait`)).json()).toEqual(Array.from({ length: 50 }, () => 'waited'));
    });
  }, 120_000);
});
