import type { IncomingMessage } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** On the prototype of a class with a method that takes its request's body as a stream. */
const TAKES_STREAM = Symbol('snakepit:takes-request-stream');

/**
 * The body of the request as a stream, on Express and Fastify alike; what a call takes as its `input`.
 *
 * A body parser must have left it alone. Express leaves what it has no parser for. Fastify refuses that with 415, but for
 * `application/octet-stream`, which an application that uses this decorator is made to leave unread; other types it has to be told:
 * `fastify.addContentTypeParser('text/csv', (_request, _body, done) => done(null))`.
 */
export const RequestStream = createParamDecorator(
  (_: unknown, context: ExecutionContext): IncomingMessage => {
    const request = context.switchToHttp().getRequest<IncomingMessage & { raw?: IncomingMessage }>();
    return request.raw ?? request;
  },
  [(target) => Reflect.defineMetadata(TAKES_STREAM, true, target)],
);

/** @internal Whether a method of this prototype, or of one that it inherits from, takes its request's body as a stream. */
export function takesRequestStream(prototype: object): boolean {
  return Reflect.hasMetadata(TAKES_STREAM, prototype);
}
