import type { MessageEvent } from '@nestjs/common';
import { Observable, type MonoTypeOperatorFunction, type OperatorFunction } from 'rxjs';

/** Shorter than the minute after which proxies close what is silent. */
export const HEARTBEAT_MS = 15_000;
const MAX_MS = 2 ** 31 - 1;
/** A comment: it reaches the client's machine, and nobody there is told of it. */
export const HEARTBEAT: MessageEvent = Object.freeze({ comment: 'heartbeat' });

/**
 * Lets an `@Sse()` stream send something whenever it has been silent for `ms` (default 15000), so that proxies do not close the connection and
 * a client that is gone is noticed. Clients see a comment, which no EventSource reports. It ends with the stream.
 *
 * @throws RangeError where `ms` is no number of milliseconds that a timer can wait
 */
export function withHeartbeat<Item>(ms?: number): OperatorFunction<Item, Item | MessageEvent>;
/** The same with a heartbeat of your own, such as `{ type: 'heartbeat', data: '' }`, for streams that are not `@Sse()`. */
export function withHeartbeat<Item>(ms: number, heartbeat: Item): MonoTypeOperatorFunction<Item>;
export function withHeartbeat<Item>(
  ms = HEARTBEAT_MS,
  heartbeat: Item | MessageEvent = HEARTBEAT,
): OperatorFunction<Item, Item | MessageEvent> {
  checkHeartbeatMs(ms, 'withHeartbeat');
  return (source) =>
    new Observable((subscriber) => {
      const timer = setTimeout(() => {
        timer.refresh();
        subscriber.next(heartbeat);
      }, ms);
      const subscription = source.subscribe({
        next: (item) => {
          timer.refresh();
          subscriber.next(item);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      return () => {
        clearTimeout(timer);
        subscription.unsubscribe();
      };
    });
}

/** @throws RangeError where a timer cannot wait so long */
export function checkHeartbeatMs(ms: number, name: string): void {
  if (!(ms >= 1 && ms <= MAX_MS)) throw new RangeError(`${name}(${ms}): allowed are 1 to ${MAX_MS} milliseconds`);
}
