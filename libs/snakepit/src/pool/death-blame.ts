import type { ExitCause } from '../worker/index.js';

/** Signals that come from outside: an operator, a container's runtime, an out-of-memory killer that nobody counts. No code ends itself by them. */
const FROM_OUTSIDE: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** Whether what ran in a worker can be what ended it: a crash of native code, or an exit that is no orderly one. */
export function mayBlameCommand(cause: ExitCause): boolean {
  switch (cause.kind) {
    case 'exit':
      // SIGTERM makes a worker leave in good order, with 0.
      return cause.status !== 0;
    case 'signal':
      if (cause.origin !== undefined) return cause.origin === 'out-of-memory';
      return !FROM_OUTSIDE.has(cause.signal);
    case 'not-spawned':
    case 'unknown':
    case 'disconnected':
      return false;
  }
}

/** What is to be held against whom after a death. */
export type Blame<Command> =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'guilty'; readonly command: Command }
  | { readonly kind: 'suspects'; readonly commands: readonly Command[] };

/**
 * Which command a worker died of, by the calls it had in hand.
 *
 * It is certain where all of them are of one command. Where several are, one that has killed before is taken for the
 * one, if it is the only such; else all are suspects, which have to run alone to show which it is.
 */
export function blame<Command>(inHand: readonly Command[], hasRecord: (command: Command) => boolean): Blame<Command> {
  const commands = [...new Set(inHand)];
  const [first] = commands;
  if (first === undefined) return { kind: 'nobody' };
  if (commands.length === 1) return { kind: 'guilty', command: first };
  const [known, ...others] = commands.filter(hasRecord);
  if (known !== undefined && others.length === 0) return { kind: 'guilty', command: known };
  return { kind: 'suspects', commands };
}
