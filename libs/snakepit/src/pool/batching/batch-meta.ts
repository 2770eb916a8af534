import type { CallMeta } from '../../channel/index.js';

/**
 * What travels with a batch besides its arguments: the session, which all of its calls share, the trace of the first call that
 * has one, and those context values that all calls have in common, so that no call runs under the name of another.
 */
export function batchMeta(metas: ReadonlyArray<CallMeta | undefined>): CallMeta {
  const session = metas[0]?.session;
  const trace = metas.find((meta) => meta?.trace !== undefined)?.trace;
  const context = sharedContext(metas);
  return {
    ...(session !== undefined && { session }),
    ...(trace !== undefined && { trace }),
    ...(context !== undefined && { context }),
    batch: true,
  };
}

function sharedContext(metas: ReadonlyArray<CallMeta | undefined>): CallMeta['context'] {
  const [first, ...others] = metas.map((meta) => meta?.context);
  if (first === undefined || others.includes(undefined)) return undefined;
  const shared = Object.entries(first).filter(([name, value]) => others.every((context) => context![name] === value));
  return shared.length === 0 ? undefined : Object.fromEntries(shared);
}
