import { SnakepitError, type ToolContext } from '../../runtime/index.js';
import { contextParametersOf, TOOL_PARAMETERS, type ToolDeclaration } from './tool.metadata.js';

/** Nest's key for the parameters that decorators of `createParamDecorator` stand on. */
const CUSTOM_PARAMETERS = '__routeArguments__';
const CUSTOM_MARK = '__customRouteArgs__';

/** What a parameter is filled with, in numbers of Nest's: pipes see the argument as `body`, and the context as `custom`. */
const ARGUMENT = 3;
const CONTEXT = 6;

type Parameters = Record<string, { readonly index: number; readonly pipes?: readonly unknown[] }>;

/**
 * Writes down, where Nest reads it, what the parameters of a tool are: the first is the argument and the second the context, unless decorators
 * say otherwise. `@SnakepitToolContext()` names the context's; the argument's is the first of those that no decorator stands on.
 *
 * @throws SnakepitError MISUSE for two `@SnakepitToolContext()`
 */
export function describeParameters(
  { label, method }: ToolDeclaration,
  lineage: readonly object[],
  instance: object,
): void {
  const marked = lineage.flatMap(contextParametersOf).filter((each) => each.method === method);
  const indexes = new Set(marked.map(({ index }) => index));
  if (indexes.size > 1) {
    const reason = `@SnakepitTool on ${label}: it has ${indexes.size} @SnakepitToolContext() parameters; keep one.`;
    throw new SnakepitError('MISUSE', { reason });
  }
  const parameters: Parameters = customParameters(instance, method);
  const taken = new Set([...indexes, ...Object.values(parameters).map(({ index }) => index)]);
  const argument = firstFree(taken);
  taken.add(argument);
  const context = indexes.values().next().value ?? firstFree(taken);
  parameters[`${ARGUMENT}:${argument}`] = { index: argument, pipes: [] };
  parameters[`${CONTEXT}:${context}`] = { index: context, pipes: [] };
  Reflect.defineMetadata(TOOL_PARAMETERS, parameters, instance.constructor, method);
}

/** Whether a tool's parameters, which have to be described, are the argument and the context as it is called with them, in their order. */
export function takesAsGiven(instance: object, method: string): boolean {
  const parameters = Reflect.getMetadata(TOOL_PARAMETERS, instance.constructor, method) as Parameters;
  const indexes = [`${ARGUMENT}:0`, `${CONTEXT}:1`];
  return Object.keys(parameters).toSorted().join() === indexes.toSorted().join();
}

/** How Nest gets the value of a parameter from what a tool is called with. */
export const toolParameters = {
  exchangeKeyForValue(type: number, _data: unknown, [args, context]: [unknown, ToolContext]): unknown {
    return type === CONTEXT ? context : args;
  },
};

function customParameters(instance: object, method: string): Parameters {
  const all = (Reflect.getMetadata(CUSTOM_PARAMETERS, instance.constructor, method) ?? {}) as Parameters;
  return Object.fromEntries(Object.entries(all).filter(([key]) => key.includes(CUSTOM_MARK)));
}

function firstFree(taken: ReadonlySet<number>): number {
  let index = 0;
  while (taken.has(index)) index += 1;
  return index;
}
