import { callAsBase64 } from '../peers/base64.mjs';
import { withoutArena, withoutMapping } from '../support/features.mjs';
import { timeEach } from '../support/load.mjs';
import { LARGE_COMMANDS, openPool, pythonAdapter } from '../support/pools.mjs';
import { noise } from '../support/random.mjs';
import { alternate } from '../support/rounds.mjs';
import { median } from '../support/statistics.mjs';
import { formatNumber } from '../support/table.mjs';

const MB = 2 ** 20;

/** Commands by what a user does who has large binary and reads how to handle it, or does not. */
const AS_BYTES = { command: 'echo', peer: 'echo_base64', expected: (data) => data };
const AS_VIEW = { command: 'echo_view', peer: 'echo_base64', expected: (data) => data };
const INTO_ARENA = { command: 'add_one', peer: 'add_one_base64', expected: (data) => data.map((byte) => byte + 1) };

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  bin_1mb_inline_x: (bench) => compare(bench, AS_BYTES, { bytes: MB, options: withoutArena() }),
  bin_1mb_shm_x: (bench) => compare(bench, AS_VIEW, { bytes: MB, options: {} }),
  bin_16mb_shm_x: (bench) => compare(bench, AS_VIEW, { bytes: 16 * MB, options: {} }),
  bin_16mb_bytes_x: (bench) => compare(bench, AS_BYTES, { bytes: 16 * MB, options: {} }),
  bin_16mb_new_x: (bench) => compare(bench, INTO_ARENA, { bytes: 16 * MB, options: {} }),
  bin_16mb_unmapped_x: (bench) => compare(bench, AS_VIEW, { bytes: 16 * MB, options: withoutMapping() }),
};

/** The same bytes to one worker and what it makes of them back, one call at a time: as base64 in JSON ÷ as they are. */
async function compare(bench, { command, peer, expected }, { bytes, options }) {
  const pool = await bench.use(openPool({ adapter: pythonAdapter({ module: LARGE_COMMANDS }), size: 1, ...options }));
  const data = noise(bytes);
  const asBytes = () => pool.execute(command, { data });
  const asBase64 = () => callAsBase64(pool, peer, data);
  for (const call of [asBytes, asBase64]) await checkAndWarmUp(call, expected(data), bench.settings);

  const calls = callsPerRound(bytes, bench.settings);
  const duration = async (call, count) => median(await timeEach(call, count));
  const { ratios, a, b } = await alternate(bench, {
    a: () => duration(asBase64, Math.ceil(calls / 4)),
    b: () => duration(asBytes, calls),
  });
  return { samples: ratios, detail: `${formatNumber(a)} ms ÷ ${formatNumber(b)} ms` };
}

async function checkAndWarmUp(call, expected, { warmMs }) {
  const began = performance.now();
  do {
    const answer = await call();
    if (!expected.equals(answer)) throw new Error(`${expected.length} bytes are not what they should be`);
  } while (performance.now() - began < warmMs);
}

function callsPerRound(bytes, { isQuick }) {
  if (bytes > MB) return 16;
  return isQuick ? 20 : 200;
}
