import type { INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter, HttpAdapterHost } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { SNAKEPIT_VERSION } from 'nestjs-snakepit';

const DOCS_PATH = 'docs';

/** Where to read of the routes: on Fastify only the document, since the package that its page needs asks for Node 22. */
export function docsPath({ httpAdapter }: HttpAdapterHost<AbstractHttpAdapter>): string {
  return hasPage(httpAdapter) ? DOCS_PATH : `${DOCS_PATH}-json`;
}

/** Serves the OpenAPI page, and the document itself beside it at `/docs-json`. */
export function serveDocs(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('nestjs-snakepit demo')
    .setDescription('A Nest application whose work is done by Python and Node in supervised pools.')
    .setVersion(SNAKEPIT_VERSION)
    .build();
  const ui = hasPage(app.getHttpAdapter() as AbstractHttpAdapter);
  SwaggerModule.setup(DOCS_PATH, app, () => SwaggerModule.createDocument(app, config), { ui });
}

function hasPage(adapter: AbstractHttpAdapter): boolean {
  return adapter.getType() === 'express';
}
