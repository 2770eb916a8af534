import type { Tools } from './context.js';
import type { AskHost } from './data-map.js';
import { hostErrorOf, ToolError } from './failures.js';

/** The tools of the host, for one call. */
export function hostTools(ask: AskHost): Tools {
  const call = async (name: string, args: unknown = null): Promise<unknown> => {
    try {
      // Other commands run in this worker meanwhile.
      return await ask('tool.call', { name, args, concurrent: true });
    } catch (error) {
      throw asToolError(name, error);
    }
  };
  return new Proxy({ call } as Tools, { get: (target, name) => memberOf(target, name, call) });
}

function asToolError(name: string, error: unknown): unknown {
  const failure = hostErrorOf(error);
  return failure === undefined ? error : new ToolError(name, failure);
}

function memberOf(target: Tools, name: string | symbol, call: (name: string, args?: unknown) => unknown): unknown {
  // A promise that resolves to the tools must not take them for a promise.
  if (typeof name === 'symbol' || name === 'then' || Object.hasOwn(target, name)) return Reflect.get(target, name);
  return (...args: readonly unknown[]) => {
    if (args.length <= 1) return call(name, args[0]);
    throw new TypeError(`tools take one value, such as an object; '${name}' got ${args.length}`);
  };
}
