import {
  assertKnownKeys,
  isPlainObject,
  option,
  resolveOptions,
  SnakepitError,
  type OptionsInput,
  type OptionsResolved,
} from '../core/index.js';
import { optionNamesOf } from '../runtime/options.js';

/** What may be said of how failed calls are answered. */
export const httpErrorsOptionTable = {
  exposeMessages: option.boolean({
    doc: "Answers from 500 on say what has happened, the worker's exception included, in place of their status's own text: for development, and for services that only trusted clients reach.",
    default: false,
  }),
};

const ownOptionTable = {
  isGlobal: option.boolean({
    doc: 'Every module of the application can inject the pools without importing this one.',
    default: true,
  }),
  httpErrors: option.toggle(httpErrorsOptionTable, {
    doc: 'Failed calls are answered by `SnakepitExceptionFilter` in all controllers, see [HTTP](http.md#errors).',
    isOn: true,
  }),
  httpStatuses: option.integerMap({
    doc: "The status of the answer by the type of the exception that a command of these pools raised: `{ ValueError: 422, NotFound: 404 }`. Below 500 the exception's message is that of the answer. Other exceptions are a 500.",
    min: 400,
    max: 599,
    default: {},
  }),
  cancelOnDisconnect: option.boolean({
    doc: 'Calls made while a request is handled are cancelled when its client leaves, see [HTTP](http.md#the-client-leaves).',
    default: true,
  }),
};

/** Every option of `SnakepitModule` that is about the module itself, and not about its pools. */
export const moduleOptionTable = {
  ...ownOptionTable,
  poolNames: option.strings({
    doc: "`forRootAsync()` only: the pools that `@InjectPool(name)` names, since the options' own names are known only when the factory has run. A name without a pool fails the start. The default pool needs no entry: it is injected as `PoolService`.",
    default: [],
  }),
};

/** What is said of the module itself, beside the pools. */
export type SnakepitModuleExtras = OptionsInput<typeof ownOptionTable>;
/** What is said of it beside the factory of `forRootAsync`. */
export type AsyncModuleExtras = OptionsInput<typeof moduleOptionTable>;
export type ResolvedModuleOptions = OptionsResolved<typeof moduleOptionTable>;
/** HTTP statuses from 400 to 599 by the type of a worker's exception, exactly as `remote.type` of the error has it. */
export type HttpStatuses = ResolvedModuleOptions['httpStatuses'];

type Given = Readonly<Record<string, unknown>>;

const OWN_NAMES = Object.keys(ownOptionTable);
const MODULE_NAMES = Object.keys(moduleOptionTable);
/** What Nest takes of an asynchronous module. */
const FACTORY_NAMES = ['useFactory', 'inject', 'useClass', 'useExisting', 'imports', 'provideInjectionTokensFrom'];

/**
 * What `forRoot` was given of the module's own options; those of the pools are checked by the pools.
 *
 * @throws SnakepitError INVALID_OPTIONS
 */
export function resolveModuleOptions(given: Given): ResolvedModuleOptions {
  assertKnownKeys(given, [...optionNamesOf(given), ...OWN_NAMES]);
  return resolveOptions(moduleOptionTable, ownOptionsIn(given));
}

/**
 * What stands beside the factory of `forRootAsync`.
 *
 * @throws SnakepitError INVALID_OPTIONS
 */
export function resolveAsyncModuleOptions(given: Given): ResolvedModuleOptions {
  assertKnownKeys(given, [...FACTORY_NAMES, ...MODULE_NAMES]);
  return resolveOptions(moduleOptionTable, pick(given, MODULE_NAMES));
}

/** @throws SnakepitError INVALID_OPTIONS for an option of the module among what a factory has made */
export function assertPoolOptions(made: unknown): void {
  const misplaced = isPlainObject(made) ? MODULE_NAMES.find((name) => Object.hasOwn(made, name)) : undefined;
  if (misplaced === undefined) return;
  const reason = `'${misplaced}' is among what the factory of forRootAsync returns; it stands beside the factory, since the module is made before.`;
  throw new SnakepitError('INVALID_OPTIONS', { reason, option: `options.${misplaced}` });
}

/** What of that is said of the module itself. */
export function ownOptionsIn(given: Given): SnakepitModuleExtras {
  return pick(given, OWN_NAMES);
}

function pick(given: Given, names: readonly string[]): Given {
  return Object.fromEntries(names.map((name) => [name, given[name]]));
}
