import { openFastApi } from '../peers/fastapi.mjs';
import { openFirstCome } from '../peers/first-come.mjs';
import { openPiscina, TUNED } from '../peers/piscina.mjs';
import { openPythonShell } from '../peers/python-shell.mjs';
import { openPythonia } from '../peers/pythonia.mjs';
import { RawEcho } from '../peers/raw-echo.mjs';
import { reportOf } from '../support/child-report.mjs';
import { atRandom, ClosedLoop, everyTick, measureLoad, replay } from '../support/load.mjs';
import { openPool, pythonAdapter } from '../support/pools.mjs';
import { alternate, compareLoads, warmUp } from '../support/rounds.mjs';
import { median, quantile } from '../support/statistics.mjs';
import { formatNumber, formatRate } from '../support/table.mjs';

const IN_FLIGHT = 64;
/** A machine of four CPUs has this many left beside the host's. */
const WORKERS = 3;

/** Calls after which the host's memory is looked at. */
const [FEW, MANY] = [100_000, 5_000_000];

const FAST_PER_SECOND = 20_000;
const SLOW_PER_SECOND = 12;
const SLOW_SECONDS = 0.05;

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  async raw_ratio_1w64(bench) {
    const pool = await bench.pool({ size: 1 });
    const echo = await bench.use(new RawEcho(IN_FLIGHT));
    return ratioOf(await compareLoads(bench, new ClosedLoop(pool.add, IN_FLIGHT), echo));
  },

  async host_us_per_call(bench) {
    const { settings, progress } = bench;
    const pool = await bench.pool({ size: 2 });
    const load = new ClosedLoop(pool.add, 2 * IN_FLIGHT);
    await warmUp(bench, [load]);
    const results = [];
    for (let round = 0; round < settings.rounds; round += 1) {
      progress(`round ${round + 1} of ${settings.rounds}`);
      results.push(await measureLoad(load, settings));
    }
    const rate = median(results.map(({ perSecond }) => perSecond));
    return { samples: results.map(({ cpuUsPerCall }) => cpuUsPerCall), detail: `at ${formatRate(rate)}` };
  },

  async own_window1_x(bench) {
    const pool = await bench.pool({ size: WORKERS });
    const one = await bench.pool({ size: WORKERS, window: 1 });
    return compareAdds(bench, pool, one, WORKERS * IN_FLIGHT);
  },

  async piscina_default_x(bench) {
    const pool = await bench.pool({ size: WORKERS });
    const piscina = await bench.use(openPiscina(WORKERS));
    return compareAdds(bench, pool, piscina, WORKERS * IN_FLIGHT);
  },

  async piscina_tuned_x(bench) {
    const pool = await bench.pool({ size: WORKERS });
    const piscina = await bench.use(openPiscina(WORKERS, TUNED));
    return compareAdds(bench, pool, piscina, WORKERS * IN_FLIGHT);
  },

  async python_shell_x(bench) {
    const pool = await bench.pool({ size: 1 });
    const shell = await bench.use(openPythonShell());
    return compareAdds(bench, pool, shell, IN_FLIGHT);
  },

  async pythonia_x(bench) {
    const pool = await bench.pool({ size: 1 });
    const pythonia = await bench.use(openPythonia());
    return compareAdds(bench, pool, pythonia, IN_FLIGHT);
  },

  async python_shell_seq_x(bench) {
    const pool = await bench.pool({ size: 1 });
    const shell = await bench.use(openPythonShell());
    return compareAdds(bench, pool, shell, 1);
  },

  async fastapi_x(bench) {
    const pool = await bench.pool({ size: 1 });
    const service = await bench.use(openFastApi({ connections: IN_FLIGHT }));
    return compareAdds(bench, pool, service, IN_FLIGHT);
  },

  async nest_decorator_x(bench) {
    // Loading Nest takes longer than starting workers, and its memory is no other figure's.
    const { openNestApplication } = await import('../support/nest-application.mjs');
    const application = await bench.use(openNestApplication({ size: WORKERS }));
    return compareAdds(bench, application.decorated, application.pool, WORKERS * IN_FLIGHT);
  },

  async nest_traced_x(bench) {
    const { openTracedApplication, TracedLoop } = await import('../support/traced-loop.mjs');
    const traced = await bench.use(openTracedApplication({ size: WORKERS }));
    const bare = await bench.pool({ size: WORKERS });
    const inFlight = WORKERS * IN_FLIGHT;
    return ratioOf(await compareLoads(bench, new TracedLoop(traced.add, inFlight), new ClosedLoop(bare.add, inFlight)));
  },

  async nest_metered_x(bench) {
    const { openMeteredApplication, openNestApplication } = await import('../support/nest-application.mjs');
    const metered = await bench.use(openMeteredApplication({ size: WORKERS }));
    const bare = await bench.use(openNestApplication({ size: WORKERS }));
    return compareAdds(bench, metered.decorated, bare.pool, WORKERS * IN_FLIGHT);
  },

  async json_codec_x(bench) {
    const json = await bench.use(openPool({ size: 1, adapter: pythonAdapter({ codec: 'json' }) }));
    const msgpack = await bench.pool({ size: 1 });
    return compareAdds(bench, json, msgpack, IN_FLIGHT);
  },

  async fast_beside_slow_x(bench) {
    return compareBesideSlow(bench, await bench.pool({ size: WORKERS, window: 1 }));
  },

  async fast_beside_slow_fifo_x(bench) {
    return compareBesideSlow(bench, await bench.use(openFirstCome(WORKERS)));
  },

  async p99_ms_at_50k(bench) {
    const { settings, progress } = bench;
    const pool = await bench.pool({ size: 2 });
    const latenciesFor = (durationMs) => replay(everyTick(50_000, durationMs), pool.add, settings.settleMs);
    progress('warming up');
    await latenciesFor(settings.warmMs);
    const samples = [];
    const medians = [];
    for (let round = 0; round < settings.rounds; round += 1) {
      progress(`round ${round + 1} of ${settings.rounds}`);
      const latencies = await latenciesFor(settings.isQuick ? 300 : 3_000);
      samples.push(quantile(latencies, 0.99));
      medians.push(quantile(latencies, 0.5));
    }
    return { samples, detail: `p50 ${formatNumber(median(medians))} ms` };
  },

  async queue_cost_x(bench) {
    const { settings } = bench;
    const pool = await bench.pool({ size: 1 });
    const cost = async (queued) => {
      const load = new ClosedLoop(pool.add, IN_FLIGHT + queued);
      return (await measureLoad(load, settings)).cpuUsPerCall;
    };
    await cost(100);
    const { ratios, a, b } = await alternate(bench, { a: () => cost(100_000), b: () => cost(100) });
    return { samples: ratios, detail: `${formatNumber(a)} µs ÷ ${formatNumber(b)} µs` };
  },

  async rss_growth_x({ settings, progress }) {
    const samples = [];
    const megabytes = [];
    for (let round = 0; round < settings.rounds; round += 1) {
      progress(`round ${round + 1} of ${settings.rounds}, in a process of its own`);
      const { early, late } = await reportOf('rss-host.mjs', FEW, MANY);
      samples.push(late / early);
      megabytes.push(late / 2 ** 20);
    }
    return { samples, detail: `after ${MANY} calls ${formatNumber(median(megabytes))} MB` };
  },
};

async function compareAdds(bench, one, other, inFlight) {
  for (const { add } of [one, other]) {
    const sum = await add();
    if (sum !== 3) throw new Error(`1 + 2 gave ${sum}`);
  }
  return ratioOf(await compareLoads(bench, new ClosedLoop(one.add, inFlight), new ClosedLoop(other.add, inFlight)));
}

function ratioOf({ ratios, a, b }) {
  return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
}

/** How long fast calls take beside slow ones: by the other ÷ by a pool with the library's defaults. */
async function compareBesideSlow(bench, other) {
  const { isQuick, warmMs, settleMs } = bench.settings;
  const pool = await bench.pool({ size: WORKERS });
  bench.progress('warming up');
  for (const each of [other, pool]) await p99BesideSlow(each, { durationMs: warmMs, settleMs: 0, seed: 0 });
  const durationMs = isQuick ? 400 : 10_000;
  // Both sides of a round get the very same slow calls.
  const p99 = (side, round) => p99BesideSlow(side, { durationMs, settleMs, seed: round + 1 });
  const { ratios, a, b } = await alternate(bench, {
    a: (round) => p99(other, round),
    b: (round) => p99(pool, round),
  });
  return { samples: ratios, detail: `${formatNumber(a)} ms ÷ ${formatNumber(b)} ms` };
}

async function p99BesideSlow(pool, { durationMs, settleMs, seed }) {
  const slow = () => pool.execute('slow', { seconds: SLOW_SECONDS });
  const [latencies] = await Promise.all([
    replay(everyTick(FAST_PER_SECOND, durationMs), pool.add, settleMs),
    replay(atRandom(SLOW_PER_SECOND, durationMs, seed), slow, 0),
  ]);
  return quantile(latencies, 0.99);
}
