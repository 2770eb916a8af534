// Calls a second of one worker over each protocol and codec, for small and for larger arguments: `node protocol-benchmark.mjs [calls]`.
// Python needs msgpack for the rows with it. For figures that can be compared, see docs/performance.md.
import { createSnakepit, node, python } from 'nestjs-snakepit/core';

import { packages, worker } from './support.mjs';

const calls = Number(process.argv[2] ?? 5_000);
const inFlight = 64;
const py = (options) => python({ module: worker('echo.py'), env: packages, ...options });
const js = (options) => node({ module: worker('echo.mjs'), ...options });
const rows = {
  'Python, v1 JSON': py({ protocol: 'v1', codec: 'json' }),
  'Python, v1 MessagePack': py({ protocol: 'v1', codec: 'msgpack' }),
  'Python, v2 JSON': py({ codec: 'json' }),
  'Python, v2 MessagePack': py({ codec: 'msgpack' }),
  'JavaScript, v1 MessagePack': js({ protocol: 'v1', codec: 'msgpack' }),
  'JavaScript, v2 MessagePack': js({ codec: 'msgpack' }),
};
const payloads = { small: { n: 1 }, '4 KB': { rows: Array.from({ length: 400 }, (_, at) => at * 1.5) } };

console.log(
  `${''.padEnd(28)}${Object.keys(payloads)
    .map((name) => name.padStart(12))
    .join('')}   calls/s`,
);
for (const [name, adapter] of Object.entries(rows)) {
  const snakepit = await createSnakepit({ adapter, size: 1 });
  const rates = [];
  for (const value of Object.values(payloads)) rates.push(await rateOf(snakepit.pool(), value));
  await snakepit.close();
  console.log(`${name.padEnd(28)}${rates.map((rate) => Math.round(rate).toLocaleString('en').padStart(12)).join('')}`);
}

async function rateOf(pool, value) {
  const answer = await pool.execute('echo', { value });
  if (JSON.stringify(answer) !== JSON.stringify(value)) throw new Error('the answer is not what was sent');
  let left = calls;
  const startedAt = performance.now();
  const lane = async () => {
    while (left-- > 0) await pool.execute('echo', { value });
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (calls * 1000) / (performance.now() - startedAt);
}
