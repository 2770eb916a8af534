// A host that reads one long stream slowly: it pauses again and again while the generator, which never waits for anything, could
// be far ahead. Reports what host and worker take of the memory early on, and the most they ever took after.

import { setTimeout as sleep } from 'node:timers/promises';

import { openPool } from './pools.mjs';

const EARLY = 100_000;
const PAUSE_EVERY = 10_000;
const PAUSE_MS = 5;
const LOOK_EVERY = 250_000;
const chunks = Number(process.argv[2]);

const pool = await openPool({ size: 1 });
let received = 0;
let early;
let most = { host: 0, worker: 0 };
for await (const item of pool.iterate('count_up', { limit: chunks })) {
  if (item !== received) throw new Error(`chunk ${received} is ${item}`);
  received += 1;
  if (received % PAUSE_EVERY === 0) await sleep(PAUSE_MS);
  if (received === EARLY) early = await look();
  else if (received % LOOK_EVERY === 0) most = mostOf(most, await look());
}
if (received !== chunks) throw new Error(`${received} of ${chunks} chunks arrived`);
await pool.close();
process.send({ early, most });
process.disconnect();

async function look() {
  const [worker] = (await pool.memory()).processes;
  return { host: process.memoryUsage.rss(), worker: worker.rssBytes };
}

function mostOf(a, b) {
  return { host: Math.max(a.host, b.host), worker: Math.max(a.worker, b.worker) };
}
