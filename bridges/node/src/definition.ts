import type { BatchManifest } from 'nestjs-snakepit/codec';

import type { Session } from './context.js';
import type { DeclaredSchema } from './declared-schema.js';

// The parameters of a command are whatever its callers send.
// oxlint-disable-next-line typescript/no-explicit-any
export type Handler = (...args: any[]) => unknown;

/** What a command's manifest tells about it; each is optional. */
export interface CommandOptions {
  /** Defaults to the name of the export. */
  readonly name?: string;
  readonly doc?: string;
  /** JSON Schema of the arguments, or a schema that can say itself in it; the host checks them before it sends a call. */
  readonly schema?: DeclaredSchema;
  /** The same for the result, of a stream for each item. */
  readonly result?: DeclaredSchema;
  /** Says that a plain function returns an iterable to be streamed; generator functions need no hint. */
  readonly stream?: boolean;
  /**
   * The handler takes a list with the arguments of several calls, and returns a list with a result, or an Error, for each of
   * them. What is left out is for the host to say.
   */
  readonly batch?: BatchManifest;
}

export interface Hooks {
  readonly start: (() => unknown)[];
  readonly shutdown: (() => unknown)[];
  readonly sessionOpen: ((session: Session) => unknown)[];
  readonly sessionClose: ((sessionId: string) => unknown)[];
}

const OPTIONS = Symbol.for('snakepit.command');
const HOOKS = Symbol.for('snakepit.hooks');

/**
 * Names and describes a command:
 *
 *     export const totals = command({ doc: 'Sums per column.' }, ({ rows }) => …);
 */
export function command<Fn extends Handler>(options: CommandOptions, handler: Fn): Fn {
  return Object.defineProperty(handler, OPTIONS, { value: options, configurable: true });
}

export function optionsOf(handler: Handler): CommandOptions {
  return (handler as { [OPTIONS]?: CommandOptions })[OPTIONS] ?? {};
}

/**
 * The hooks of this process. A user's file may find another copy of this package than the one that runs the worker,
 * so they are kept with the process rather than with the module.
 */
export function processHooks(): Hooks {
  const holder = globalThis as { [HOOKS]?: Hooks };
  return (holder[HOOKS] ??= { start: [], shutdown: [], sessionOpen: [], sessionClose: [] });
}

/** Runs before the worker says that it is ready; a failure keeps it from starting. */
export function onStart(hook: () => unknown): void {
  processHooks().start.push(hook);
}

/** Runs when the worker is told to end, after its calls are done. */
export function onShutdown(hook: () => unknown): void {
  processHooks().shutdown.push(hook);
}

/** Runs before the first call of a session in this worker. */
export function onSessionOpen(hook: (session: Session) => unknown): void {
  processHooks().sessionOpen.push(hook);
}

/** Runs when a session that had calls in this worker is over. */
export function onSessionClose(hook: (sessionId: string) => unknown): void {
  processHooks().sessionClose.push(hook);
}
