import { ClosedLoop } from '../support/load.mjs';
import { MODELS, openPool, pythonAdapter } from '../support/pools.mjs';
import { randomNumbers } from '../support/random.mjs';
import { compareLoads } from '../support/rounds.mjs';
import { formatRate } from '../support/table.mjs';

const IN_FLIGHT = 64;

const PIXELS = 784;

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  async batch_x(bench) {
    const pool = await bench.use(openPool({ size: 1, adapter: pythonAdapter({ module: MODELS }) }));
    const images = Array.from({ length: 2 * IN_FLIGHT }, (_, seed) => imageOf(seed));
    const classes = await Promise.all(images.map((pixels) => pool.execute('predict', { pixels })));
    const loadOf = (command) => {
      let next = 0;
      return new ClosedLoop(async () => {
        const index = next++ % images.length;
        const result = await pool.execute(command, { pixels: images[index] });
        if (result !== classes[index])
          throw new Error(`${command} took image ${index} for ${result}, not ${classes[index]}`);
      }, IN_FLIGHT);
    };
    const { ratios, a, b } = await compareLoads(bench, loadOf('predict_together'), loadOf('predict'));
    return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
  },
};

function imageOf(seed) {
  const random = randomNumbers(seed + 1);
  return Uint8Array.from({ length: PIXELS }, () => Math.floor(random() * 256));
}
