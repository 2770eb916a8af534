import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { AppModule } from './app.module.js';
import type { Settings } from './settings.js';

/** A thousand images of digits are some 200 KB. */
const MAX_JSON_BYTES = 1024 * 1024;

/** The application on Express or on Fastify; both leave the bodies of uploads unread. */
export function createApplication(
  http: Settings['SNAKEPIT_HTTP'],
  options: NestApplicationOptions,
): Promise<INestApplication> {
  return http === 'fastify' ? onFastify(options) : onExpress(options);
}

async function onExpress(options: NestApplicationOptions): Promise<INestApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, options);
  return app.useBodyParser('json', { limit: MAX_JSON_BYTES });
}

async function onFastify(options: NestApplicationOptions): Promise<INestApplication> {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  const adapter = new FastifyAdapter({ bodyLimit: MAX_JSON_BYTES });
  const unread = ['application/octet-stream', 'multipart/form-data'];
  adapter.getInstance().addContentTypeParser(unread, (_request, _body, done) => done(null));
  return NestFactory.create(AppModule, adapter, options);
}
