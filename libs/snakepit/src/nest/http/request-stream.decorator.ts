import type { IncomingMessage } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/**
 * The body of the request as a stream, on Express and Fastify alike; what a call takes as its `input`.
 *
 * A body parser must have left it alone. Express leaves what it has no parser for; Fastify has to be told:
 * `fastify.addContentTypeParser('application/octet-stream', (_request, _body, done) => done(null))`.
 */
export const RequestStream = createParamDecorator((_: unknown, context: ExecutionContext): IncomingMessage => {
  const request = context.switchToHttp().getRequest<IncomingMessage & { raw?: IncomingMessage }>();
  return request.raw ?? request;
});
