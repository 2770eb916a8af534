// A host process that figures are measured in, one after the other.

import { setTimeout as sleep } from 'node:timers/promises';

import { ClosedLoop, measureLoad } from './support/load.mjs';
import { openPool } from './support/pools.mjs';

const CLOSE_TIMEOUT_MS = 10_000;
const COMPILE_MS = 800;

const { figures, settings } = JSON.parse(process.argv[2]);
/** Pools that figures share where time is short, by their options. */
const shared = new Map();

// The conductor is gone; nobody reads what would be measured.
process.once('disconnect', () => process.exit(1));

if (settings.isQuick) await compileWhatAllShare();
for (const figure of figures) await tell(await measure(figure));
await closeAll([...shared.values()]);
process.removeAllListeners('disconnect');
process.disconnect();
process.exit();

async function measure({ key, group }) {
  const opened = [];
  /** @type {import('./support/rounds.mjs').Bench} */
  const bench = {
    settings,
    async use(opening) {
      const resource = await opening;
      opened.push(resource);
      return resource;
    },
    pool: (options) => (settings.isQuick ? sharedPool(options) : bench.use(openPool(options))),
    progress: (text) => process.send({ progress: text }),
  };
  const measured = await toMessage(async () => {
    const { measures } = await import(`./groups/${group}.mjs`);
    if (!(key in measures)) throw new Error(`groups/${group}.mjs does not measure '${key}'`);
    return measures[key](bench);
  });
  const closed = await toMessage(() => closeAll(opened));
  return closed.failure === undefined ? measured : { failure: measured.failure ?? closed.failure };
}

async function sharedPool(options) {
  const key = JSON.stringify(options);
  if (!shared.has(key)) shared.set(key, await openPool(options));
  return shared.get(key);
}

async function compileWhatAllShare() {
  const { add } = await sharedPool({ size: 1 });
  await measureLoad(new ClosedLoop(add, 64), { settleMs: COMPILE_MS, measureMs: 0 });
}

/** Resolves when the conductor can read it, whatever becomes of this process. */
function tell(message) {
  return new Promise((resolve, reject) => {
    process.send(message, (error) => (error ? reject(error) : resolve()));
  });
}

async function toMessage(step) {
  try {
    return { outcome: await step() };
  } catch (error) {
    return { failure: error instanceof Error ? error.stack : String(error) };
  }
}

/** Not every peer manages to close; what is left after a while ends with this process. */
async function closeAll(opened) {
  const over = new AbortController();
  const closing = Promise.all(opened.map((resource) => resource.close()));
  const patience = sleep(CLOSE_TIMEOUT_MS, undefined, { signal: over.signal }).catch(() => {});
  try {
    await Promise.race([closing, patience]);
  } finally {
    over.abort();
  }
}
