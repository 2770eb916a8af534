import { inspect } from 'node:util';

import { isSnakepitError, type SnakepitError } from 'nestjs-snakepit/core';
import { lastValueFrom, toArray, type Observable } from 'rxjs';

/** The SnakepitError that a call ends with; fails when it ends otherwise. */
export async function failureOf(call: PromiseLike<unknown>): Promise<SnakepitError> {
  let value: unknown;
  try {
    value = await call;
  } catch (error) {
    if (isSnakepitError(error)) return error;
    throw error;
  }
  throw new Error(`expected a failure, got ${inspect(value)}`);
}

const STACK_ATTEMPTS = 8;

/**
 * The failure of a call that hangs, with stacks that show where. A worker tells them within milliseconds or not at all, which one that
 * gets no CPU meanwhile does not manage: then the call is made again, some times.
 */
export async function failureWithStacks(call: () => Promise<unknown>, where: RegExp): Promise<SnakepitError> {
  for (let attempt = 1; ; attempt += 1) {
    const error = await failureOf(call());
    if (where.test(String(error.details['workerStacks'])) || attempt === STACK_ATTEMPTS) return error;
  }
}

export interface Received {
  readonly items: unknown[];
  readonly error: SnakepitError | undefined;
}

/** Everything that a stream gave, and how it ended. */
export function received(stream: Observable<unknown>): Promise<Received> {
  return new Promise((resolve, reject) => {
    const items: unknown[] = [];
    stream.subscribe({
      next: (item) => items.push(item),
      complete: () => resolve({ items, error: undefined }),
      error: (error: unknown) => (isSnakepitError(error) ? resolve({ items, error }) : reject(error as Error)),
    });
  });
}

export function itemsOf<Item>(stream: Observable<Item>): Promise<Item[]> {
  return lastValueFrom(stream.pipe(toArray()));
}
