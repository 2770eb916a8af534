import type { INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { SNAKEPIT_VERSION } from 'nestjs-snakepit';

export const DOCS_PATH = 'docs';

/** Serves the OpenAPI page, and the document itself beside it at `/docs-json`. */
export function serveDocs(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('nestjs-snakepit demo')
    .setDescription('A Nest application whose work is done by Python and Node in supervised pools.')
    .setVersion(SNAKEPIT_VERSION)
    .build();
  // The page needs a package of Fastify's that the demo does without; the document does not.
  const ui = (app.getHttpAdapter() as AbstractHttpAdapter).getType() === 'express';
  SwaggerModule.setup(DOCS_PATH, app, () => SwaggerModule.createDocument(app, config), { ui });
}
