import { echoAsBase64 } from '../peers/base64.mjs';
import { withoutArena } from '../support/features.mjs';
import { timeEach } from '../support/load.mjs';
import { openPool } from '../support/pools.mjs';
import { randomNumbers } from '../support/random.mjs';
import { alternate } from '../support/rounds.mjs';
import { median } from '../support/statistics.mjs';
import { formatNumber } from '../support/table.mjs';

const MB = 2 ** 20;

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  bin_1mb_inline_x: (bench) => compareEchoes(bench, { bytes: MB, options: withoutArena() }),
  bin_1mb_shm_x: (bench) => compareEchoes(bench, { bytes: MB, options: {} }),
  bin_16mb_shm_x: (bench) => compareEchoes(bench, { bytes: 16 * MB, options: {} }),
};

/** The same bytes to one worker and back, one call at a time: as base64 in JSON ÷ as they are. */
async function compareEchoes(bench, { bytes, options }) {
  const pool = await bench.use(openPool({ size: 1, ...options }));
  const data = noise(bytes);
  const asBytes = () => pool.execute('echo', { data });
  const asBase64 = () => echoAsBase64(pool, data);
  for (const echo of [asBytes, asBase64]) await checkAndWarmUp(echo, data, bench.settings);

  const calls = callsPerRound(bytes, bench.settings);
  const duration = async (call, count) => median(await timeEach(call, count));
  const { ratios, a, b } = await alternate(bench, {
    a: () => duration(asBase64, Math.ceil(calls / 4)),
    b: () => duration(asBytes, calls),
  });
  return { samples: ratios, detail: `${formatNumber(a)} ms ÷ ${formatNumber(b)} ms` };
}

/** The same bytes in every run: what a codec does with some depends on which they are. */
function noise(bytes) {
  const random = randomNumbers(bytes);
  return Buffer.from(Uint8Array.from({ length: bytes }, () => random() * 256));
}

async function checkAndWarmUp(echo, data, { warmMs }) {
  const began = performance.now();
  do {
    const answer = await echo();
    if (!data.equals(answer)) throw new Error(`${data.length} bytes came back changed`);
  } while (performance.now() - began < warmMs);
}

function callsPerRound(bytes, { isQuick }) {
  if (bytes > MB) return isQuick ? 2 : 16;
  return isQuick ? 20 : 200;
}
