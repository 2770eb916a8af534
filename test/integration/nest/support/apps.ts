import { Module, type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { afterEach } from 'vitest';
import { python, type ProcessAdapter } from 'nestjs-snakepit';

const opened: INestApplication[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

/** Workers with the commands of `fixtures/nest/report.py`. */
export function reports(): ProcessAdapter {
  return python({ module: 'test/fixtures/nest/report.py' });
}

/** A module class of its own for every call. */
export function moduleOf(metadata: ModuleMetadata): Type {
  @Module(metadata)
  class TestModule {}
  return TestModule;
}

/** An application of one module, not initialized; it is closed after the test. */
export async function createApp(
  metadata: ModuleMetadata,
  adapter: AbstractHttpAdapter = new ExpressAdapter(),
): Promise<INestApplication> {
  const AppModule = moduleOf(metadata);
  const app = await NestFactory.create(AppModule, adapter, { logger: false, abortOnError: false });
  opened.push(app);
  return app;
}

export async function bootApp(metadata: ModuleMetadata): Promise<INestApplication> {
  return (await createApp(metadata)).init();
}

/** An application that listens on a free port, and its URL. */
export async function serveApp(
  metadata: ModuleMetadata,
  adapter?: AbstractHttpAdapter,
): Promise<{ app: INestApplication; url: string }> {
  const app = await createApp(metadata, adapter);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}

/** The error that a start ends with. */
export async function bootError(metadata: ModuleMetadata): Promise<Error> {
  try {
    await bootApp(metadata);
  } catch (error) {
    return error as Error;
  }
  throw new Error('the application started');
}
