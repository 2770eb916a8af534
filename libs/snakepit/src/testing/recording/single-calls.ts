import type { WorkerManifest } from '../../channel/index.js';

/** The manifest of a worker that takes no batches: which calls a batch has depends on when they came, and is not to be recorded. */
export function withoutBatches(manifest: WorkerManifest): WorkerManifest {
  const { takesBatches: _, commands, ...rest } = manifest;
  if (commands === undefined) return rest;
  return { ...rest, commands: commands.map(({ batch: _batch, ...command }) => command) };
}
