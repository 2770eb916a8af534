import 'reflect-metadata';

import type { ResolvedToolOptions } from './tool.options.js';

/** Where Nest finds what the parameters of tools are; the same key on every class. */
export const TOOL_PARAMETERS = 'snakepit:tool-parameters';

const DECLARATIONS = Symbol('snakepit:tools');
const CONTEXT_PARAMETERS = Symbol('snakepit:tool-contexts');

/** One method that `@SnakepitTool` stands on. */
export interface ToolDeclaration {
  /** `Prices.of()`, for messages. */
  readonly label: string;
  readonly method: string;
  readonly name: string;
  readonly options: ResolvedToolOptions;
}

/** Where a `@SnakepitToolContext()` stands. */
export interface ContextParameter {
  readonly label: string;
  readonly method: string | symbol;
  readonly index: number;
}

export function addTool(prototype: object, declaration: ToolDeclaration): void {
  append(DECLARATIONS, prototype, declaration);
}

export function addContextParameter(prototype: object, parameter: ContextParameter): void {
  append(CONTEXT_PARAMETERS, prototype, parameter);
}

/** What stands on the prototype itself; ancestors are read one by one. */
export function toolsOf(prototype: object): readonly ToolDeclaration[] {
  return read(DECLARATIONS, prototype);
}

export function contextParametersOf(prototype: object): readonly ContextParameter[] {
  return read(CONTEXT_PARAMETERS, prototype);
}

function append<Item>(key: symbol, prototype: object, item: Item): void {
  Reflect.defineMetadata(key, [...read<Item>(key, prototype), item], prototype);
}

function read<Item>(key: symbol, prototype: object): readonly Item[] {
  return (Reflect.getOwnMetadata(key, prototype) as readonly Item[] | undefined) ?? [];
}
