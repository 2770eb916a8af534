import type { Channel, WorkerManifest } from '../../channel/index.js';

/** Names of the commands whose workers asked for batches; read once for each manifest. */
const asking = new WeakMap<WorkerManifest, ReadonlySet<string>>();

/** Whether the worker itself would have the command batched. */
export function asksForBatches({ manifest }: Channel, command: string): boolean {
  let names = asking.get(manifest);
  if (names === undefined) {
    const commands = (manifest.commands ?? []).filter(({ batch }) => batch !== undefined);
    names = new Set(commands.map(({ name }) => name));
    asking.set(manifest, names);
  }
  return names.has(command);
}

/** Whether the worker knows what a batch is. */
export function takesBatches({ manifest }: Channel): boolean {
  return manifest.takesBatches === true;
}
