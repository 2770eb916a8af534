import { fileURLToPath } from 'node:url';

import { createSnakepit, node, python, type Adapter, type PoolOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { guardianOf, isAlive } from '../chaos/support/processes.mjs';
import { failureOf } from '../support/outcomes.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/integration/${name}`, import.meta.url));

interface Family {
  readonly worker: number;
  readonly family: readonly number[];
}

const path = [inject('pythonPackages')];
const module = pathOf('families.py');
const ADAPTERS: Array<[string, () => Adapter]> = [
  ['Python', () => python({ module, path })],
  ['forked Python', () => python({ module, path, zygote: true })],
  ['Python v1', () => python({ module, path, protocol: 'v1' })],
  ['Python gRPC', () => python({ module, path, transport: 'grpc' })],
  ['Node', () => node({ module: pathOf('families.js') })],
];

describe.runIf(process.platform === 'linux').each(ADAPTERS)('what a %s worker has started', (name, adapter) => {
  const snakepits = new Set<Snakepit>();
  const started = new Set<number>();
  afterEach(async () => {
    await Promise.all([...snakepits].map((snakepit) => snakepit.close()));
    const left = [...started].filter(isAlive);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    snakepits.clear();
    started.clear();
    expect(left).toEqual([]);
  });

  async function start(options: Partial<PoolOptions> = {}) {
    const snakepit = await createSnakepit({
      adapter: adapter(),
      size: 2,
      cancelGraceMs: 50,
      killGraceMs: 100,
      ...options,
    });
    snakepits.add(snakepit);
    const pool = snakepit.pool();
    const newFamily = async (): Promise<Family> => {
      const found = await pool.execute<Family>('family', {});
      for (const pid of found.family) started.add(pid);
      return found;
    };
    /** One of each of the two workers: a command that nothing is known of runs alone in its worker. */
    const families = async (): Promise<[Family, Family]> => {
      const both = await Promise.all([newFamily(), newFamily()]);
      expect(both[0].worker).not.toBe(both[1].worker);
      return both;
    };
    return { snakepit, pool, newFamily, families };
  }

  const untilNoneOf = ({ worker, family }: Family) =>
    waitUntil('the end of a family', () => ![worker, ...family].some(isAlive), 5_000);

  it.each([
    ['crashes', 'crash', {}],
    ['hangs', 'hang', { timeoutMs: 100 }],
  ])('ends with it when it %s, and nothing of its neighbour', async (_how, command, options) => {
    const { pool, families } = await start();
    const both = await families();
    expect(both.flatMap(({ family }) => family).every(isAlive)).toBe(true);
    await failureOf(pool.execute(command, {}, options));
    const [gone, stays] = await waitUntil('the end of a worker', () => {
      const [one, other] = both;
      if (!isAlive(one.worker)) return both;
      return isAlive(other.worker) ? undefined : [other, one];
    });
    await untilNoneOf(gone!);
    expect([stays!.worker, ...stays!.family].every(isAlive)).toBe(true);
    const next = await waitUntil('its successor', () => pool.stats().pids.find((pid) => pid !== stays!.worker));
    expect(isAlive(next)).toBe(true);
  });

  it('ends with it when it is replaced, whatever for', async () => {
    const { pool, newFamily } = await start({ size: 1, recycle: { maxCalls: 1, jitterPercent: 0 } });
    await untilNoneOf(await newFamily());
    const next = await newFamily();
    await pool.restart();
    await untilNoneOf(next);
  });

  it('ends with it when its instance closes, and nothing of another instance', async () => {
    const [one, two] = [await start({ size: 1 }), await start({ size: 1 })];
    const [family, other] = [await one.newFamily(), await two.newFamily()];
    await one.snakepit.close();
    expect([family.worker, ...family.family].filter(isAlive)).toEqual([]);
    expect([other.worker, ...other.family].every(isAlive)).toBe(true);
  });

  // Once, since a host gives up on guardians that are killed again and again.
  const itOnce = name === 'Python' ? it : undefined;
  itOnce?.('ends with it although the guardian has to be replaced before it can look', async () => {
    const { pool, newFamily } = await start({ size: 1 });
    const family = await newFamily();
    const guardian = guardianOf(process.pid);
    if (guardian === undefined) throw new Error('this process has no guardian');
    started.add(guardian);
    process.kill(guardian, 'SIGSTOP');
    await failureOf(pool.execute('crash', {}));
    await waitUntil('its successor', () => pool.stats().restarts === 1 && pool.stats().status === 'up');
    expect(family.family.slice(1).every(isAlive)).toBe(true);
    process.kill(guardian, 'SIGKILL');
    await untilNoneOf(family);
  });
});
