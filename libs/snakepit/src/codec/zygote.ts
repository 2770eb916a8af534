import { isMap, parseErrorBody, type ErrorBody } from './bodies.js';
import type { ByteWriter } from './byte-writer.js';
import { ProtocolViolation } from './failures.js';
import { Kind } from './frame.js';
import { encodeJsonFrame } from './json-frame.js';
import { Members, parseJson } from './members.js';

/** The body of FORK. */
export interface ForkOrder {
  /** Says, once, which worker a connection at the door belongs to. */
  readonly token: string;
  /** The worker's complete environment. */
  readonly env: Readonly<Record<string, string>>;
  /** By which path the worker can open the file that becomes its arena. */
  readonly arena?: string;
}

/** The body of EXITED. */
export type ForkOutcome = { readonly status: number } | { readonly signal: string };

/** What a zygote says; `number` is that of the FORK. */
export type ZygoteMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  | { readonly kind: 'forked'; readonly number: number; readonly pid: number }
  | { readonly kind: 'refused'; readonly number: number; readonly error: ErrorBody }
  | { readonly kind: 'exited'; readonly number: number; readonly outcome: ForkOutcome };

export interface ZygoteFrame {
  readonly kind: number;
  readonly number: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Appends a whole FORK frame. */
export function encodeForkOrder(number: number, order: ForkOrder, out: ByteWriter): void {
  encodeJsonFrame(Kind.FORK, number, order, out);
}

/** @throws ProtocolViolation for a kind that no zygote sends, and for a body that lacks a member or has a wrong one */
export function parseZygoteMessage({ kind, number, bytes, start, end }: ZygoteFrame): ZygoteMessage {
  const body = new Members(parseJson(bytes, start, end, 'body'), 'body');
  switch (kind) {
    case Kind.HELLO: {
      const { error } = body.map;
      return isMap(error) ? { kind: 'failed', error: parseErrorBody(error) } : { kind: 'ready' };
    }
    case Kind.FORKED:
      return { kind: 'forked', number, pid: body.integer('pid', 1) };
    case Kind.ERROR:
      return { kind: 'refused', number, error: parseErrorBody(body.map) };
    case Kind.EXITED:
      return { kind: 'exited', number, outcome: parseOutcome(body) };
    default:
      throw new ProtocolViolation(`a zygote sends no frame of kind 0x${kind.toString(16)}`);
  }
}

function parseOutcome(body: Members): ForkOutcome {
  return 'signal' in body.map ? { signal: body.text('signal') } : { status: body.integer('status', 0) };
}
