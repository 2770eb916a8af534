import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

import { createSnakepit, python, type PoolOptions } from 'nestjs-snakepit/core';
import { describe, expect, inject, it } from 'vitest';

const module = fileURLToPath(new URL('../fixtures/integration/numeric_threads.py', import.meta.url));
const CPUS = availableParallelism();

interface Told {
  readonly variables: Readonly<Record<string, string>>;
  readonly threads: number;
}

/** What a worker sees of its limit, and how many threads numpy's BLAS has once it has worked. */
async function tell(options: Partial<PoolOptions>, given: object = {}): Promise<Told> {
  const adapter = python({ module, path: [inject('pythonPackages')], ...given });
  const snakepit = await createSnakepit({ adapter, ...options });
  try {
    return await snakepit.pool().execute<Told>('tell');
  } finally {
    await snakepit.close();
  }
}

describe("a worker's numeric libraries", () => {
  it('have an even share of the CPUs, and not one thread more', async () => {
    const { variables, threads } = await tell({ size: CPUS });
    expect(variables).toMatchObject({ OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' });
    expect(threads).toBe(0);
  });

  it('have all of them where there is one worker, by as many threads', async () => {
    const { variables, threads } = await tell({ size: 1 });
    expect(variables).toMatchObject({ OMP_NUM_THREADS: String(CPUS) });
    expect(threads).toBe(CPUS - 1);
  });

  it('have what the option says, and their own way at 0', async () => {
    expect(await tell({ size: 1, numericThreads: 3 })).toMatchObject({
      variables: { OPENBLAS_NUM_THREADS: '3' },
      // OpenBLAS starts no more than there are CPUs.
      threads: Math.min(3, CPUS) - 1,
    });
    expect((await tell({ size: 1, numericThreads: 0 })).variables).toEqual({});
  });

  it.each([
    ['pool', { env: { OMP_NUM_THREADS: '2' } }, {}],
    ['adapter', {}, { env: { OMP_NUM_THREADS: '2' } }],
  ])('are left alone where the environment of the %s says something', async (_, options, given) => {
    expect((await tell({ size: CPUS, ...options }, given)).variables).toEqual({ OMP_NUM_THREADS: '2' });
  });

  it('have their limit before a zygote imports them', async () => {
    const { threads } = await tell({ size: CPUS }, { zygote: { preload: ['numpy'] } });
    expect(threads).toBe(0);
  });

  it('go by the most workers that there may be', async () => {
    const { variables } = await tell({ autoscale: { min: 1, max: CPUS * 2 } });
    expect(variables).toMatchObject({ OMP_NUM_THREADS: '1' });
  });
});
