import { subscribe } from 'nestjs-snakepit/core';

/** When the pool next has all its workers ready, as a time of `performance.now()`; call it before what makes it lose one. */
export function nextFullSize(pool, timeoutMs = 30_000) {
  return new Promise((resolve, reject) => {
    let hasLost = false;
    const timer = setTimeout(
      () => finish(() => reject(new Error(`'${pool.name}' was not whole in ${timeoutMs} ms`))),
      timeoutMs,
    );
    const unsubscribe = subscribe('snakepit:worker', ({ to }) => {
      hasLost ||= to === 'dead';
      if (!hasLost || to !== 'ready') return;
      const readyAt = performance.now();
      // The event comes before the pool counts the worker.
      setImmediate(() => pool.status === 'up' && finish(() => resolve(readyAt)));
    });
    function finish(end) {
      clearTimeout(timer);
      unsubscribe();
      end();
    }
  });
}
