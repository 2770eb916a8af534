import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { AppModule } from './app.module.js';
import { serveDocs } from './docs.js';
import { greeting } from './greeting.js';
import { readSettings, type Settings } from './settings.js';

/** A thousand images of digits are some 200 KB. */
const MAX_JSON = '1mb';

async function serve(): Promise<void> {
  // Nest logs before it has read the configuration.
  const { LOG_FORMAT } = readSettings(process.env);
  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    abortOnError: false,
    // When the pools have drained, whoever is still connected only keeps the process from ending.
    forceCloseConnections: true,
    logger: loggerOf(LOG_FORMAT),
  });
  app.useBodyParser('json', { limit: MAX_JSON });
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  serveDocs(app);
  const config = app.get<ConfigService<Settings, true>>(ConfigService);
  const host = config.get('HOST', { infer: true });
  try {
    await app.listen(config.get('PORT', { infer: true }), host);
  } catch (error) {
    await app.close();
    throw error;
  }
  // npm runs scripts in the package's folder and says where the user's shell is.
  // Whoever reads the log as JSON gets nothing else on stdout.
  const say = LOG_FORMAT === 'json' ? console.error : console.log;
  say(greeting(await urlOf(app), process.env['INIT_CWD'] ?? process.cwd()));
}

function loggerOf(format: Settings['LOG_FORMAT']): ConsoleLogger {
  if (format === 'json') return new ConsoleLogger({ json: true });
  return new ConsoleLogger({ logLevels: ['warn', 'error', 'fatal'] });
}

/** Where to reach it from this machine, with the port that was really taken. */
async function urlOf(app: NestExpressApplication): Promise<string> {
  return (await app.getUrl()).replace(/\/\/(127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?=:)/, '//localhost');
}

/** For whoever started it: what happened and what to do, without a stack. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as { code?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} is taken. Stop what listens there, or choose another: PORT=0 takes a free one.`;
  if (code === 'EACCES') return `Port ${port} may not be used by this user. Choose one above 1023: PORT=3000.`;
  return error.message;
}

try {
  await serve();
} catch (error) {
  console.error(`\nThe demo did not start. ${explain(error)}\n`);
  process.exitCode = 1;
}
