import type { ServerResponse } from 'node:http';
import type { ExecutionContext } from '@nestjs/common';

/** Node's own response: Fastify wraps it, Express extends it. */
export function rawResponse(context: ExecutionContext): ServerResponse {
  const response = context.switchToHttp().getResponse<ServerResponse & { raw?: ServerResponse }>();
  return response.raw ?? response;
}
