import type { Adapter, OpenTap, Tap, TapContext } from '../../worker/index.js';

/** The adapter with a tap on each of its workers, before any that it has. */
export function adapterWithTap(adapter: Adapter, tap: OpenTap): Adapter {
  return {
    ...hooksOf(adapter),
    async prepare(context) {
      const spec = await adapter.prepare(context);
      return { ...spec, tap: spec.tap === undefined ? tap : inRow(tap, spec.tap) };
    },
  };
}

/** All of an adapter but `prepare`, be it a plain object or of a class. */
export function hooksOf(adapter: Adapter): Omit<Adapter, 'prepare'> {
  const { name, inProcess, defaultSize, supportedCommands } = adapter;
  const validate = adapter.validate?.bind(adapter);
  const prepareArgs = adapter.prepareArgs?.bind(adapter);
  const processResponse = adapter.processResponse?.bind(adapter);
  const commandTimeoutMs = adapter.commandTimeoutMs?.bind(adapter);
  return {
    name,
    ...(inProcess !== undefined && { inProcess }),
    ...(defaultSize !== undefined && { defaultSize }),
    ...(supportedCommands !== undefined && { supportedCommands }),
    ...(validate && { validate }),
    ...(prepareArgs && { prepareArgs }),
    ...(processResponse && { processResponse }),
    ...(commandTimeoutMs && { commandTimeoutMs }),
  };
}

/** `outer` is next to the worker, `inner` next to its channel. */
function inRow(outer: OpenTap, inner: OpenTap): OpenTap {
  return (context: TapContext): Tap => {
    const first = outer(context);
    const second = inner({ ...context, owner: first.owner });
    return { owner: second.owner, connect: (channel) => first.connect(second.connect(channel)) };
  };
}
