import 'reflect-metadata';

import type { ResolvedCommandOptions } from './command.options.js';

/** Where Nest puts the runner of the application that made the instance. */
export const RUNNER = Symbol('SnakepitModule');

const DECLARATIONS = Symbol('snakepit:commands');
const SESSION_PARAMETERS = Symbol('snakepit:session-parameters');

/** One method that `@SnakepitCommand` stands on. */
export interface CommandDeclaration {
  /** `Reports.summarize()`, for messages. */
  readonly label: string;
  readonly method: string | symbol;
  readonly command: string;
  readonly options: ResolvedCommandOptions;
  /** What the method was before: it maps parameters to arguments. */
  readonly body: (this: unknown, ...parameters: unknown[]) => unknown;
  /** Position of the parameter that is the session's id. */
  readonly sessionIndex: number | undefined;
}

/** Where a `@SessionId()` stands. */
export interface SessionParameter {
  readonly label: string;
  readonly method: string | symbol;
  readonly index: number;
}

export function addDeclaration(prototype: object, declaration: CommandDeclaration): void {
  append(DECLARATIONS, prototype, declaration);
}

export function addSessionParameter(prototype: object, parameter: SessionParameter): void {
  append(SESSION_PARAMETERS, prototype, parameter);
}

/** The declarations of a class, or of it and its ancestors. */
export function declarationsOf(prototype: object): readonly CommandDeclaration[] {
  return read(DECLARATIONS, prototype);
}

export function sessionParametersOf(prototype: object): readonly SessionParameter[] {
  return read(SESSION_PARAMETERS, prototype);
}

/** `Reports.summarize()` */
export function labelOf(target: object, method: string | symbol): string {
  const name = typeof target === 'function' ? `static ${target.name}` : target.constructor.name;
  return `${name}.${String(method)}()`;
}

function append<Item>(key: symbol, prototype: object, item: Item): void {
  const own = (Reflect.getOwnMetadata(key, prototype) as readonly Item[] | undefined) ?? [];
  Reflect.defineMetadata(key, [...own, item], prototype);
}

/** What stands on the prototype itself; ancestors are read one by one. */
function read<Item>(key: symbol, prototype: object): readonly Item[] {
  return (Reflect.getOwnMetadata(key, prototype) as readonly Item[] | undefined) ?? [];
}
