import { applyDecorators, Header } from '@nestjs/common';
import { ApiProduces, ApiResponse } from '@nestjs/swagger';

/** Documents a route that streams; `example` is one of its items. */
export function ApiStream(description: string, example: unknown): MethodDecorator {
  const schema = { type: 'string', example: `data: ${JSON.stringify(example)}\n\n` } as const;
  const line = { type: 'string', example: `${JSON.stringify(example)}\n` } as const;
  return applyDecorators(
    ApiResponse({
      status: 200,
      description: `${description} Server-sent events; NDJSON with \`Accept: application/x-ndjson\`.`,
      content: { 'text/event-stream': { schema }, 'application/x-ndjson': { schema: line } },
    }),
    ApiProduces('text/event-stream', 'application/x-ndjson'),
    Header('Vary', 'Accept'),
  );
}
