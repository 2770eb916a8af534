// The process that one group runs in, so that a group that dies or hangs takes no other with it.

const { group, ...how } = JSON.parse(process.argv[2]);

// The conductor is gone; nobody reads what would be found.
process.once('disconnect', () => process.exit(1));
process.on('unhandledRejection', (reason) => {
  process.send({ failure: `unhandled rejection: ${reason?.stack ?? reason}` }, () => process.exit(1));
});

const message = await outcomeOf(async () => {
  const { run } = await import(`./groups/${group}.mjs`);
  return run({ ...how, progress: (text) => process.send({ progress: text }) });
});
process.removeAllListeners('disconnect');
process.send(message, () => process.exit());

async function outcomeOf(step) {
  try {
    const { notes = [], ...figures } = await step();
    return { outcome: { figures, notes } };
  } catch (error) {
    return { failure: error instanceof Error ? error.stack : String(error) };
  }
}
