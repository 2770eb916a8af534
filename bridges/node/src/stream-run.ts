import { setImmediate as nextTurn } from 'node:timers/promises';

import { invoke, type Call } from './call.js';
import { CallFailure } from './failures.js';

/** How long a stream may go on before other calls have their turn. */
const TURN_MS = 1;

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

export interface StreamSink<C extends Call> {
  /** Sends one value; throws when it cannot be sent. */
  chunk(call: C, value: unknown): void;
  end(call: C): void;
  fail(call: C, thrown: unknown): void;
  /** The iterator of a cancelled stream is closed, or closing it failed. */
  closed(call: C): void;
}

/** Sends what an iterator yields while there is credit, and closes it when the call is cancelled. */
export async function runStream<C extends Call>(call: C, sink: StreamSink<C>): Promise<void> {
  let iterator: AnyIterator | undefined;
  try {
    iterator = iteratorOf(await invoke(call), call);
    const source = iterator;
    call.onCancel = () => void close(source, call, sink);
    if (call.cancelReason !== 0) call.onCancel();
    if (await pump(iterator, call, sink)) sink.end(call);
  } catch (error) {
    if (call.cancelReason !== 0) return;
    // A value that could not be sent leaves the iterator in the middle.
    if (iterator !== undefined) await returnQuietly(iterator);
    sink.fail(call, error);
  }
}

/** False when the call was cancelled on the way. */
async function pump<C extends Call>(iterator: AnyIterator, call: C, sink: StreamSink<C>): Promise<boolean> {
  let turnEndsAt = performance.now() + TURN_MS;
  for (;;) {
    if (call.credit === 0) {
      await creditOf(call);
      turnEndsAt = performance.now() + TURN_MS;
    }
    if (call.cancelReason !== 0) return false;
    const next = iterator.next();
    const step = next instanceof Promise ? await next : await Promise.resolve(next);
    if (call.cancelReason !== 0) return false;
    if (step.done) return true;
    call.credit -= 1;
    sink.chunk(call, step.value ?? null);
    if (performance.now() < turnEndsAt) continue;
    await nextTurn();
    turnEndsAt = performance.now() + TURN_MS;
  }
}

function creditOf(call: Call): Promise<void> {
  return new Promise((resolve) => {
    call.onCredit = () => {
      call.onCredit = undefined;
      resolve();
    };
  });
}

/** A generator that is busy closes when it comes to its next `yield`. */
async function close<C extends Call>(iterator: AnyIterator, call: C, sink: StreamSink<C>): Promise<void> {
  call.onCredit?.();
  await returnQuietly(iterator);
  sink.closed(call);
}

async function returnQuietly(iterator: AnyIterator): Promise<void> {
  try {
    await iterator.return?.();
  } catch (error) {
    console.error('Closing a stream failed:', error);
  }
}

function iteratorOf(produced: unknown, call: Call): AnyIterator {
  const iterable = produced as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
  if (iterator !== undefined) return iterator;
  throw new CallFailure('INVALID_RESULT', `the stream '${call.command}' returned nothing that can be iterated`);
}
