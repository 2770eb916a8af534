import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
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

/** Handles the request where its tenant and its correlation id are known; the answer tells the latter. */
export function keepRequestContext(request: Request, response: Response, next: NextFunction): void {
  const tenant = request.header('x-tenant')?.slice(0, MAX_LENGTH) || 'public';
  const correlationId = request.header('x-correlation-id')?.slice(0, MAX_LENGTH) || randomUUID();
  response.setHeader('x-correlation-id', correlationId);
  storage.run({ tenant, correlationId }, next);
}
