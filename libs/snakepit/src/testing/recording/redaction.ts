/** Which part of a call a value is. */
export interface RedactionPlace {
  readonly command: string;
  readonly part: 'args' | 'result' | 'item' | 'progress' | 'ask' | 'error';
}

/**
 * Gives what is to be written in place of a value; what it gives for `args` is also what calls are compared by when they are replayed.
 * Of an error it gets `{ code, type, message, traceback, data }`.
 */
export type Redact = (value: unknown, place: RedactionPlace) => unknown;

export const REDACT_NOTHING: Redact = (value) => value;
