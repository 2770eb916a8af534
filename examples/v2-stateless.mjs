// Protocol v2, the default: typed arrays, progress, deadlines and cancelling, and many calls at once.
import { createSnakepit, python } from 'nestjs-snakepit/core';

import { worker } from './support.mjs';

const snakepit = await createSnakepit({ adapter: python({ module: worker('series.py') }), size: 2 });
const pool = snakepit.pool();

const series = Float64Array.from({ length: 100_000 }, (_, at) => Math.sin(at / 1000));
const means = await pool.execute('moving_average', { series, width: 1000 });
console.log(`${means.constructor.name} of ${means.length}, the first ${means[0].toFixed(4)}`);

let reports = 0;
const primes = await pool.execute('count_primes', { below: 20_000 }, { onProgress: () => (reports += 1) });
console.log(`${primes} primes, ${reports} reports on the way`);

// Whoever leaves stops the work.
const leaving = new AbortController();
const left = pool.execute(
  'count_primes',
  { below: 10_000_000 },
  { signal: leaving.signal, onProgress: () => leaving.abort() },
);
console.log(await left.catch(({ code, delivery }) => `${code}, ${delivery}`));

const late = pool.execute('count_primes', { below: 10_000_000 }, { timeoutMs: 100 });
console.log(await late.catch(({ code, message }) => `${code}: ${message}`));

const pids = await Promise.all(Array.from({ length: 8 }, () => pool.execute('wait', { ms: 20 })));
console.log(`8 calls, ${new Set(pids).size} processes`);
await snakepit.close();
