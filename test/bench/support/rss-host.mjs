// A host whose memory is its own: makes as many calls as it is told and reports its resident memory in between.

import { openPool } from './pools.mjs';

const IN_FLIGHT = 64;
const [few, many] = process.argv.slice(2).map(Number);

const pool = await openPool({ size: 2 });
await callTimes(few);
const early = process.memoryUsage.rss();
await callTimes(many - few);
const late = process.memoryUsage.rss();
await pool.close();
process.send({ early, late });
process.disconnect();

async function callTimes(count) {
  let left = count;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await pool.add();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}
