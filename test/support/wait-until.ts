import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;

/**
 * Polls until `condition` gives something other than false or undefined, and returns it; for what no event tells, such as
 * the end of a process that is not ours. Fails with `what` after `timeoutMs`.
 */
export async function waitUntil<Value>(
  what: string,
  condition: () => Value | Promise<Value>,
  timeoutMs = 10_000,
): Promise<Exclude<Value, false | undefined>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value as Exclude<Value, false | undefined>;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(POLL_MS);
  }
}
