// Workers in Go: built when the pool starts; many calls at once in one process. Needs Go 1.21.
import { createSnakepit, go } from 'nestjs-snakepit/core';

import { worker } from './support.mjs';

const snakepit = await createSnakepit({ adapter: go({ package: worker('sieve') }), size: 1 });
const pool = snakepit.pool();

console.log(`${await pool.execute('count', { from: 1, to: 200_000 })} primes`);

const first = [];
for await (const prime of pool.iterate('primes', { from: 1_000_000, to: 2_000_000 })) {
  if (first.push(prime) === 3) break;
}
console.log(`the first from a million on: ${first.join(', ')}`);

const { code, remote } = await pool.execute('count', { from: 2, to: 1 }).catch((thrown) => thrown);
console.log(`${code}: ${remote.message}`);

const late = await pool.execute('wait', { ms: 60_000 }, { timeoutMs: 50 }).catch((thrown) => thrown);
console.log(late.code);
await snakepit.close();
