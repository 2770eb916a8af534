// The host process that one figure is measured in: its compiled code and its memory are not those of the figure before it.

import { setTimeout as sleep } from 'node:timers/promises';

const CLOSE_TIMEOUT_MS = 10_000;

const { figure, settings } = JSON.parse(process.argv[2]);

// The conductor is gone; nobody reads what would be measured.
process.once('disconnect', () => process.exit(1));

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
  const { measures } = await import(`./groups/${figure.group}.mjs`);
  if (!(figure.key in measures)) throw new Error(`groups/${figure.group}.mjs does not measure '${figure.key}'`);
  return measures[figure.key](bench);
});
const closed = await toMessage(closeAll);
const message = closed.failure === undefined ? measured : { failure: measured.failure ?? closed.failure };
process.removeAllListeners('disconnect');
process.send(message, () => process.exit());

async function toMessage(step) {
  try {
    return { outcome: await step() };
  } catch (error) {
    return { failure: error instanceof Error ? error.stack : String(error) };
  }
}

/** Not every peer manages to close; what is left after a while ends with this process. */
async function closeAll() {
  const closing = Promise.all(opened.map((resource) => resource.close()));
  await Promise.race([closing, sleep(CLOSE_TIMEOUT_MS)]);
}
