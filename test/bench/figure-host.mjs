// The host process that one figure is measured in: its compiled code and its memory are not those of the figure before it.

import { setTimeout as sleep } from 'node:timers/promises';

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

let message;
try {
  const { measures } = await import(`./groups/${figure.group}.mjs`);
  message = { outcome: await measures[figure.key](bench) };
  for (const resource of opened.toReversed()) await resource.close();
} catch (error) {
  message = { failure: error instanceof Error ? error.stack : String(error) };
}
process.removeAllListeners('disconnect');
process.send(message, () => process.disconnect());

// Peers that fail to close must not hold up the run.
await sleep(2_000, undefined, { ref: false });
process.exit();
