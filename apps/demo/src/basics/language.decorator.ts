import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** First parts of the routes: each language's commands stand below its name. */
export const LANGUAGES = ['python', 'node'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language whose route was called. */
export const RouteLanguage = createParamDecorator((_: unknown, context: ExecutionContext): Language => {
  const { url } = context.switchToHttp().getRequest<Request>();
  return url.startsWith('/node/') ? 'node' : 'python';
});
