import { ClosedLoop } from '../support/load.mjs';
import { openToolApplication } from '../support/nest-application.mjs';
import { ASKERS, pythonAdapter } from '../support/pools.mjs';
import { compareLoads } from '../support/rounds.mjs';
import { formatRate } from '../support/table.mjs';

const IN_FLIGHT = 64;
/** What the worker asks in the course of a call. */
const QUESTIONS = 5_000;

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  async tool_x(bench) {
    const application = await bench.use(openToolApplication({ size: 1, adapter: pythonAdapter({ module: ASKERS }) }));
    const { ratios, a, b } = await compareLoads(
      bench,
      new ToolLoop(application),
      new ClosedLoop(application.pool.add, IN_FLIGHT),
    );
    return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
  },
};

/** A worker that keeps calls of a tool in flight; counts those that have arrived. */
class ToolLoop {
  #application;
  #loop;

  constructor(application) {
    this.#application = application;
    this.#loop = new ClosedLoop(ask, 1);
    async function ask() {
      const right = await application.ask(QUESTIONS);
      if (right !== QUESTIONS) throw new Error(`${right} of ${QUESTIONS} answers of the tool were right`);
    }
  }

  get completed() {
    return this.#application.toolCalls;
  }

  start() {
    this.#loop.start();
  }

  stop() {
    return this.#loop.stop();
  }
}
