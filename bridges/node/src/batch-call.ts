import type { ErrorBody } from 'nestjs-snakepit/codec';

import { invoke, type Call } from './call.js';
import { CallFailure, errorBodyOf, unsendable } from './failures.js';

/** What surrounds one result, or one error, at most. */
const ENTRY_BYTES = 16;

/** How many bytes a value takes; throws EncodeError and FrameTooLarge. */
export type Measure = (value: unknown) => number;

/** An error of one call of a batch, by its position. */
type ItemError = [index: number, error: ErrorBody];

/** What a handler made of a batch: a result or an error for each call. */
export class BatchAnswer {
  constructor(
    private readonly results: readonly unknown[],
    private readonly errors: readonly ItemError[],
  ) {}

  /** As the protocol has it: `[results, errors]`. */
  toWire(): unknown {
    return [this.results, this.errors.length === 0 ? null : this.errors];
  }

  /** The same with an error in place of each result that cannot be sent, or for which there is no room. */
  withoutUnsendable(measure: Measure, maxBytes: number): BatchAnswer {
    const results = [...this.results];
    const errors = this.errors.map(([index, error]): ItemError => [index, shortened(error)]);
    const refuse = (index: number, error: ErrorBody): void => {
      results[index] = null;
      errors.push([index, error]);
    };
    const sizes = new Map<number, number>();
    results.forEach((result, index) => {
      try {
        sizes.set(index, measure(result) + ENTRY_BYTES);
      } catch (error) {
        refuse(index, unsendable(error));
      }
    });
    let bytes = sum(sizes.values()) + sum(errors.map((entry) => measure(entry) + ENTRY_BYTES));
    for (const [index, size] of [...sizes].toSorted((a, b) => b[1] - a[1])) {
      if (bytes <= maxBytes) break;
      const message = `the result takes ${size} bytes; there is no room for it beside the others of its batch`;
      const error: ErrorBody = { code: 'FRAME_TOO_LARGE', message };
      refuse(index, error);
      bytes += measure([index, error]) + ENTRY_BYTES - size;
    }
    return new BatchAnswer(results, errors);
  }
}

/** Calls the command as its call and its definition want it; returns its result, or a promise of it. */
export function invokeHandler(call: Call): unknown {
  if (call.meta.batch === true) return invokeBatch(call);
  return call.definition.manifest.batch === undefined ? invoke(call) : invokeSingle(call);
}

/** Calls a handler with the arguments of several calls; returns a {@link BatchAnswer} or a promise of one. */
function invokeBatch(call: Call): unknown {
  const { args, command } = call;
  if (!Array.isArray(args)) {
    throw new CallFailure('INVALID_ARGUMENTS', `'${command}': the arguments of a batch are no list`);
  }
  return afterwards(call.definition.handler(args, call), (returned) => answerOf(command, returned, args.length));
}

/** Calls a handler that takes batches with the arguments of one call; returns its result or a promise of it. */
function invokeSingle(call: Call): unknown {
  const { args, command } = call;
  return afterwards(call.definition.handler([args], call), (returned) => {
    const [result] = listed(command, returned, 1);
    if (result instanceof Error) throw result;
    return result;
  });
}

function afterwards(returned: unknown, finish: (returned: unknown) => unknown): unknown {
  return isThenable(returned) ? Promise.resolve(returned).then(finish) : finish(returned);
}

function answerOf(command: string, returned: unknown, count: number): BatchAnswer {
  const entries = listed(command, returned, count);
  const errors = entries.flatMap((entry, index): ItemError[] =>
    entry instanceof Error ? [[index, errorBodyOf(entry)]] : [],
  );
  return new BatchAnswer(
    entries.map((entry) => (entry instanceof Error || entry === undefined ? null : entry)),
    errors,
  );
}

/** @throws CallFailure INVALID_RESULT unless there is one result for each call */
function listed(command: string, returned: unknown, count: number): readonly unknown[] {
  const list =
    ArrayBuffer.isView(returned) && !(returned instanceof DataView) ? Array.from(returned as never) : returned;
  if (Array.isArray(list) && list.length === count) return list as unknown[];
  const made = Array.isArray(list) ? `${list.length} results` : typeof returned;
  const message = `'${command}' returned ${made} for a batch of ${count} calls; it has to return a list of one for each call, in order`;
  throw new CallFailure('INVALID_RESULT', message);
}

function shortened({ code, type, message, started }: ErrorBody): ErrorBody {
  return { code, message, ...(type !== undefined && { type }), ...(started !== undefined && { started }) };
}

function sum(sizes: Iterable<number>): number {
  let total = 0;
  for (const size of sizes) total += size;
  return total;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
