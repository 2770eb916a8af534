import type { SnakepitError } from '../core/index.js';
import type { CallListener } from './pool-call.js';

type Resolve = (value: unknown) => void;
type Reject = (error: SnakepitError) => void;

let resolveLatest: Resolve | undefined;
let rejectLatest: Reject | undefined;

/** One executor for all promises: a closure of its own for each would be a tenth of what a call allocates. */
function capture(resolve: Resolve, reject: Reject): void {
  resolveLatest = resolve;
  rejectLatest = reject;
}

/** What the caller of a call that has one result holds, and the listener that settles it. */
export class Reply implements CallListener {
  readonly promise = new Promise<unknown>(capture);
  readonly #resolve = resolveLatest!;
  readonly #reject = rejectLatest!;

  constructor() {
    // Else the latest result of the process would be kept for as long as no call follows.
    resolveLatest = undefined;
    rejectLatest = undefined;
  }

  onValue(value: unknown): void {
    this.#resolve(value);
  }

  onError(error: SnakepitError): void {
    this.#reject(error);
  }

  onChunk(): void {
    throw new Error('a call that is no stream got a chunk');
  }

  onEnd(): void {
    throw new Error('a call that is no stream got an end');
  }
}
