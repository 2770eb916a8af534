import { reportOf } from '../support/child-report.mjs';
import { ClosedLoop, measureLoad } from '../support/load.mjs';
import { alternate, warmUp } from '../support/rounds.mjs';
import { formatNumber, formatRate } from '../support/table.mjs';

const IN_FLIGHT = 64;
const SLOWLY_READ = 10_000_000;

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  async stream_chunks_x(bench) {
    const { settings } = bench;
    const pool = await bench.pool({ size: 1 });
    const load = new ClosedLoop(pool.add, IN_FLIGHT);
    const chunks = settings.isQuick ? 10_000 : 300_000;
    await warmUp(bench, [load]);
    await chunksPerSecond(pool, chunks);
    const { ratios, a, b } = await alternate(bench, {
      a: () => chunksPerSecond(pool, chunks),
      b: async () => (await measureLoad(load, settings)).perSecond,
    });
    return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
  },

  async slow_stream_rss_x({ progress }) {
    progress('reading, in a process of its own');
    const { early, most } = await reportOf('slow-stream-host.mjs', SLOWLY_READ);
    const megabytes = (bytes) => formatNumber(bytes / 2 ** 20);
    const detail = `host at most ${megabytes(most.host)} MB, worker at most ${megabytes(most.worker)} MB`;
    return { samples: [(most.host + most.worker) / (early.host + early.worker)], detail };
  },
};

/** One stream from one generator, from its start to its end. */
async function chunksPerSecond(pool, chunks) {
  const began = performance.now();
  let received = 0;
  await new Promise((complete, error) => {
    pool.stream('count_up', { limit: chunks }).subscribe({ next: () => (received += 1), complete, error });
  });
  if (received !== chunks) throw new Error(`${received} of ${chunks} chunks arrived`);
  return (chunks / (performance.now() - began)) * 1_000;
}
