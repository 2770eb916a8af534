import { HostCallFailure } from '../channel/index.js';
import { failureOf } from '../runtime/tools/tool-failure.js';

/**
 * What a worker is told where a handler failed. Nest's filters have turned what was thrown into what goes to the other side: the payload of an
 * RpcException, or `{ status, message }`; a filter of one's own may have left an Error.
 */
export function messageFailureOf(rejected: unknown): HostCallFailure {
  if (rejected instanceof Error) return failureOf(rejected);
  return new HostCallFailure({
    code: 'REMOTE_ERROR',
    type: 'RpcException',
    message: messageOf(rejected),
    data: rejected ?? null,
  });
}

function messageOf(rejected: unknown): string {
  if (typeof rejected === 'string') return rejected;
  const message = (rejected as { readonly message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : 'the handler of the message has failed';
}
