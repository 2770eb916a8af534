import { poolOptionTable, pythonOptionTable } from 'nestjs-snakepit/core';

/** Adapter options that start Python workers from a warm parent; undefined where the library has no such parent. */
export function zygoteOptions() {
  if (!('zygote' in pythonOptionTable)) return undefined;
  return 'preload' in pythonOptionTable ? { zygote: true, preload: ['numpy'] } : { zygote: true };
}

/** Pool options that keep large payloads in the frames. */
export function withoutArena() {
  return 'arena' in poolOptionTable ? { arena: { enabled: false } } : {};
}

/** Pool options that have the host read and write shared memory by system calls, as it does without koffi. */
export function withoutMapping() {
  return { arena: { mapped: false } };
}
