import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { alsContext } from 'nestjs-snakepit';

/** What every call that a request makes takes along to its worker. */
interface RequestValues {
  readonly tenant: string;
  readonly correlationId: string;
}

const storage = new AsyncLocalStorage<RequestValues>();

/** The pools' option `context`. */
export const requestContext = alsContext(storage, ['tenant', 'correlationId']);

const MAX_LENGTH = 128;

/** Handles the request where its tenant and its correlation id are known; the answer tells the latter. Needs neither Express nor Fastify. */
export function keepRequestContext({ headers }: IncomingMessage, response: ServerResponse, next: () => void): void {
  const tenant = textOf(headers['x-tenant']) || 'public';
  const correlationId = textOf(headers['x-correlation-id']) || randomUUID();
  response.setHeader('x-correlation-id', correlationId);
  storage.run({ tenant, correlationId }, next);
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header.slice(0, MAX_LENGTH) : undefined;
}
