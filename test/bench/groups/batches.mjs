import { ClosedLoop } from '../support/load.mjs';
import { MODELS, openPool, pythonAdapter } from '../support/pools.mjs';
import { compareLoads } from '../support/rounds.mjs';
import { formatRate } from '../support/table.mjs';

const IN_FLIGHT = 64;

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  async batch_x(bench) {
    const pool = await bench.use(openPool({ size: 1, adapter: pythonAdapter({ module: MODELS }) }));
    const loadOf = (command) => new ClosedLoop(() => predict(pool, command), IN_FLIGHT);
    const { ratios, a, b } = await compareLoads(bench, loadOf('predict_together'), loadOf('predict'));
    return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
  },
};

async function predict(pool, command) {
  const result = await pool.execute(command, { x: 21 });
  if (result !== 42) throw new Error(`2 × 21 gave ${result}`);
}
