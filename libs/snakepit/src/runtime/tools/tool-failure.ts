import { HostCallFailure } from '../../channel/index.js';
import { isSnakepitError, SnakepitError, toError } from '../../core/index.js';

/** What a worker is told of a tool that threw; its stack stays here. */
export function failureOf(thrown: unknown): HostCallFailure {
  // The call has ended: what the tool did is of no use.
  if (thrown instanceof HostCallFailure) return thrown;
  const error = toError(thrown);
  const data = dataOf(thrown);
  const type = typeOf(thrown);
  return new HostCallFailure({
    code: 'REMOTE_ERROR',
    type,
    message: error.message,
    ...(data !== undefined && { data }),
  });
}

/** Whether it is an answer rather than an accident, as an exception of Nest's with a status below 500 is. */
export function isExpected(thrown: unknown): boolean {
  return isHttpLike(thrown) && thrown.getStatus() < 500;
}

/** Name of the thrown thing's class. */
export function typeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  return thrown.constructor.name || thrown.name;
}

function dataOf(thrown: unknown): unknown {
  if (isHttpLike(thrown)) return { status: thrown.getStatus(), body: thrown.getResponse() };
  if (isSnakepitError(thrown)) return thrown.toJSON();
  return (thrown as { readonly data?: unknown } | null | undefined)?.data;
}

interface HttpLike {
  getStatus(): number;
  getResponse(): unknown;
}

/** Told by its shape: this room knows no Nest. */
function isHttpLike(thrown: unknown): thrown is HttpLike {
  if (!(thrown instanceof Error) || thrown instanceof SnakepitError) return false;
  const { getStatus, getResponse } = thrown as Partial<HttpLike>;
  return typeof getStatus === 'function' && typeof getResponse === 'function';
}
