// A host process that figures are measured in, one after the other.

import { setTimeout as sleep } from 'node:timers/promises';

const CLOSE_TIMEOUT_MS = 10_000;

const { figures, settings } = JSON.parse(process.argv[2]);

// The conductor is gone; nobody reads what would be measured.
process.once('disconnect', () => process.exit(1));

for (const figure of figures) await tell(await measure(figure));
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
