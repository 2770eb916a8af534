import { AsyncLocalStorage } from 'node:async_hooks';

import type { CallOptions } from '../pool/index.js';

/** What calls can be cancelled with that were made somewhere inside, without being told of it. */
export interface AmbientSignal {
  /** Asked for by the first call that needs it, so that it need not exist before. */
  readonly signal: AbortSignal;
}

const storage = new AsyncLocalStorage<AmbientSignal>();
/** Scopes that are open. While it is 0, as in a process that serves no requests, a call looks at nothing else. */
let openScopes = 0;

/** Runs `body`; calls that are made in it, or in what it has set going, are cancelled by `ambient.signal` unless they name one. */
export function runWithSignal<Result>(ambient: AmbientSignal, body: () => Result): Result {
  return storage.run(ambient, body);
}

/** To be called once before {@link runWithSignal}; calls look for a signal until as many scopes were closed. */
export function openSignalScope(): void {
  openScopes += 1;
}

export function closeSignalScope(): void {
  openScopes -= 1;
}

/** The options with the signal of what the call is made in; they themselves where there is none, or where they name one or null. */
export function withAmbientSignal<Options extends CallOptions>(options: Options): Options {
  if (openScopes === 0 || options.signal !== undefined) return options;
  const ambient = storage.getStore();
  return ambient === undefined ? options : { ...options, signal: ambient.signal };
}
