import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createSnakepit, python, type PoolService, type Snakepit } from 'nestjs-snakepit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { snakepit } from '../cli/snakepit.js';
import { dataSciencePackages } from '../../tools/python-packages.mjs';
import { fencedBlocks } from './fenced-blocks.js';
import { PageApp } from './page-app.js';
import { repository } from './readme-blocks.js';

const json = async (url: string, init?: RequestInit): Promise<unknown> => (await fetch(url, init)).json();
const events = async (url: string): Promise<unknown[]> =>
  [...(await (await fetch(url)).text()).matchAll(/data: (.*)/g)].map(([, data]) => JSON.parse(data!) as unknown);

/** The page's files are compiled before its tests. */
function usePage(page: string, stubs?: Readonly<Record<string, string>>): () => PageApp {
  let app: PageApp | undefined;
  beforeAll(async () => {
    app = await PageApp.compiled(page, stubs);
  }, 60_000);
  afterAll(() => app?.remove());
  return () => app!;
}

describe('docs/clients.md', () => {
  const page = usePage('clients.md');

  it('is an application that does what it says', async () => {
    await page().serve(async (url) => {
      expect(await json(`${url}/summary?amounts=1,2,3`)).toEqual({ count: 3, total: 6 });
      expect(await events(`${url}/countdown`)).toEqual([{ left: 3 }, { left: 2 }, { left: 1 }]);
      expect(await json(`${url}/remember?session=ann&amount=5`)).toBe(5);
      expect(await json(`${url}/remember?session=ann&amount=6`)).toBe(11);
    });
  }, 60_000);
});

describe('docs/r.md', () => {
  const page = usePage('r.md');

  it('is an application that does what it says', async () => {
    await page().serve(async (url) => {
      const post = (path: string, body: unknown) => {
        const headers = { 'Content-Type': 'application/json' };
        return json(`${url}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      };
      const { coefficients, r_squared: rSquared } = (await post('fit', { x: [1, 2, 3], y: [3, 5, 7] })) as {
        coefficients: Record<string, number>;
        r_squared: number;
      };
      expect(coefficients).toEqual({ '(Intercept)': expect.closeTo(1) as number, x: expect.closeTo(2) as number });
      expect(rSquared).toBeCloseTo(1);
      expect(await post('means', { x: [4, 4] })).toEqual(Array.from({ length: 100 }, () => 4));
      expect(await post('fit', { x: 'text', y: [] })).toMatchObject({ statusCode: 422 });
    });
  }, 60_000);
});

describe('docs/contracts.md', () => {
  const page = usePage('contracts.md');

  it('is an application that does what it says', async () => {
    await page().serve(async (url) => {
      const order = (body: object) => ({
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      const good = { items: [{ sku: 'a', price: 1.5, amount: 2 }], customer: 'x', due: '2026-02-01' };
      expect(await json(`${url}/orders`, order(good))).toEqual({ total: 3, due: '2026-02-01' });
      const bad = { items: [{ sku: 'a', price: '1.5' }], customer: 'x' };
      const said = fencedBlocks(readFileSync(join(repository, 'docs/contracts.md'), 'utf8'));
      expect(await json(`${url}/orders`, order(bad))).toEqual(
        JSON.parse(said.find(({ language }) => language === 'json')!.text),
      );
      expect(await events(`${url}/countdown`)).toEqual([{ left: 2 }, { left: 1 }]);
    });
  }, 60_000);

  it('shows the client that is written of its worker', async () => {
    const { folder } = page();
    const { status, stdout } = await snakepit(['types', '--python', join(folder, 'workers/orders.py')]);
    expect(status).toBe(0);
    const [client, contracts] = stdout.split(/^(?=\/\/ contract: )/m);
    expect(client!.trim()).toBe(readFileSync(join(folder, 'src/orders.client.ts'), 'utf8').trim());
    expect(contracts).toContain('"name":"order"');
  }, 60_000);
});

describe('docs/http.md', () => {
  const page = usePage('http.md');

  it('is an application that does what it says', async () => {
    await page().serve(async (url) => {
      expect(await json(`${url}/orders/7`)).toEqual({ total: 12 });
      const said = fencedBlocks(readFileSync(join(repository, 'docs/http.md'), 'utf8'));
      const answer = said.find(({ language, text }) => language === 'json' && text.includes('NotFound'));
      const missing = await fetch(`${url}/orders/8`);
      expect([missing.status, await missing.json()]).toEqual([404, JSON.parse(answer!.text)]);
      expect(await json(`${url}/orders/seven`)).toMatchObject({
        statusCode: 400,
        message: 'the id of an order is a number',
      });
    });
  }, 60_000);
});

describe('docs/python.md', () => {
  const page = usePage('python.md');

  it('is an application that does what it says', async () => {
    await page().serve(async (url) => {
      expect(await json(`${url}/median?of=1,9,4`)).toEqual({ median: 4 });
      const body = JSON.stringify({ values: [1, 2, 3, 4, 5, 6, 7] });
      const request = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body };
      expect(await json(`${url}/samples/ann`, request)).toMatchObject({ stored: 'sample', type: 'builtins.list' });
      expect(await json(`${url}/samples/ann`)).toEqual({ mean: null, cuts: [2, 4, 6] });
      await fetch(`${url}/samples/ann`, { method: 'DELETE' });
      expect(await json(`${url}/samples/ann`)).toMatchObject({ statusCode: 500, code: 'REMOTE_ERROR' });
    });
  }, 60_000);

  it('classifies irises', async () => {
    const { folder } = page();
    type Classify = (libraries: object, flower: readonly number[]) => Promise<string>;
    const { classify } = (await import(pathToFileURL(join(folder, 'dist/iris.js')).href)) as { classify: Classify };
    const adapter = python({ enhanced: { allow: ['sklearn.*', 'pandas', 'numpy'] }, path: [dataSciencePackages()] });
    const snakepit = await createSnakepit({ adapter, size: 1, timeoutMs: 120_000 });
    try {
      expect(await classify(snakepit.python(), [5.1, 3.5, 1.4, 0.2])).toBe('setosa');
    } finally {
      await snakepit.close();
    }
  }, 300_000);

  it('has a plugin that does what it says', async () => {
    const plugins = [join(page().folder, 'workers/plugin.py')];
    const snakepit = await createSnakepit({
      adapter: python({ enhanced: { allow: ['fractions'], plugins } }),
      size: 1,
    });
    try {
      const session = snakepit.python().session('s');
      const half = await session.call('fractions.Fraction', ['0.5'], {}, { storeAs: 'half' });
      expect(await session.retrieve('half')).toEqual({ numerator: 1, denominator: 2 });
      await expect(session.call(half.member('limit_denominator'), [1])).rejects.toThrow('never called for others');
    } finally {
      await snakepit.close();
    }
  });
});

describe('docs/microservices.md', () => {
  const page = usePage('microservices.md');

  it('is an application that does what it says', async () => {
    await page().serve(async (url) => {
      expect(await json(`${url}/total`)).toBe(4);
    });
  }, 60_000);
});

describe('docs/migrate-from-python-shell.md', () => {
  const page = usePage('migrate-from-python-shell.md');

  it('is an application that does what it says', async () => {
    await page().serve(async (url) => {
      expect(await json(`${url}/score?text=one+two`)).toEqual({ score: 2, words: ['one', 'two'] });
    });
  }, 60_000);
});

describe('docs/migrate-from-fastapi.md', () => {
  const page = usePage('migrate-from-fastapi.md');

  it('is an application that does what it says', async () => {
    await page().serve(async (url) => {
      const price = (amounts: number[]) => ({
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ amounts }),
      });
      expect(await json(`${url}/price`, price([10, 20.5]))).toEqual({ gross: 36.6 });
      expect(await json(`${url}/price`, price([]))).toMatchObject({ statusCode: 422, message: 'no amounts' });
      expect(await events(`${url}/countdown?start=2`)).toEqual([{ left: 2 }, { left: 1 }]);
    });
  }, 60_000);
});

/** What the page uses of BullMQ 5, which is not installed here: the worker is compiled against this, the processor is run. */
const BULLMQ = `declare module 'bullmq' {
  export class UnrecoverableError extends Error {}
  export interface Job<Data = unknown, Result = unknown> {
    data: Data;
    returnvalue: Result;
    updateProgress(progress: string | boolean | number | object): Promise<void>;
  }
  export class Worker<Data = unknown, Result = unknown> {
    constructor(
      name: string,
      processor: (job: Job<Data, Result>, token?: string) => Promise<Result>,
      options: { connection: { url: string }; concurrency?: number },
    );
    close(force?: boolean): Promise<void>;
  }
}
`;

describe('docs/migrate-from-bullmq.md', () => {
  const page = usePage('migrate-from-bullmq.md', { 'src/bullmq.d.ts': BULLMQ });
  const failures = { unrecoverable: (message: string) => new RangeError(message) };
  type Process = (pool: PoolService, job: object, failures: object, signal?: AbortSignal) => Promise<number>;
  let snakepit: Snakepit;
  let processReport: Process;

  beforeAll(async () => {
    const { folder } = page();
    snakepit = await createSnakepit({ adapter: python({ module: join(folder, 'workers/report.py') }), size: 1 });
    const built = (await import(pathToFileURL(join(folder, 'dist/report.processor.js')).href)) as {
      processReport: Process;
    };
    ({ processReport } = built);
  });
  afterAll(() => snakepit.close());

  it('reports every item of the stream as progress, one after the other, and returns the total', async () => {
    const reported: object[] = [];
    let running = 0;
    const job = {
      data: { rows: 3 },
      updateProgress: async (progress: object) => {
        running += 1;
        expect(running).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        reported.push(progress);
      },
    };
    expect(await processReport(snakepit.pool(), job, failures)).toBe(6);
    expect(reported).toEqual([1, 3, 6].map((total, at) => ({ done: at + 1, of: 3, total })));
  });

  it('tells what the command refuses from what is worth another attempt', async () => {
    const updateProgress = () => Promise.resolve();
    const refused = processReport(snakepit.pool(), { data: { rows: -1 }, updateProgress }, failures);
    await expect(refused).rejects.toThrow(new RangeError("'build_report' raised ValueError: rows cannot be negative"));
    const stopped = processReport(
      snakepit.pool(),
      { data: { rows: 10 }, updateProgress },
      failures,
      AbortSignal.abort(),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('the pages whose code is run', () => {
  const pages = [
    'clients',
    'contracts',
    'http',
    'python',
    'microservices',
    'migrate-from-python-shell',
    'migrate-from-fastapi',
    'migrate-from-bullmq',
  ];

  it.each(pages)('docs/%s.md has no Python that cannot be compiled', async (page) => {
    const blocks = fencedBlocks(readFileSync(join(repository, 'docs', `${page}.md`), 'utf8'));
    const sources = blocks.filter(({ language }) => language === 'python').map(({ text }) => text);
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) {
      await promisify(execFile)('python3', ['-c', 'import sys; compile(sys.argv[1], "page", "exec")', source]);
    }
  });
});
