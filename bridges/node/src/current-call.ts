import { AsyncLocalStorage } from 'node:async_hooks';

import type { Call } from './call.js';

const storage = new AsyncLocalStorage<Call>();
let running: Call | undefined;

/** The call that the code which asks works for, as far as that is known: what a plain function does later, it is not. */
export function currentCall(): Call | undefined {
  return running ?? storage.getStore();
}

/** Runs a command up to where it first gives up the thread. */
export function runNow<Result>(call: Call, run: (call: Call) => Result): Result {
  running = call;
  try {
    return run(call);
  } finally {
    running = undefined;
  }
}

/** Runs a command whose call is to be known all the way, which costs something for each promise. */
export function runAsync<Result>(call: Call, run: (call: Call) => Result): Result {
  return storage.run(call, run, call);
}
