import 'reflect-metadata';
import { ConsoleLogger, type INestApplication } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { Snakepit } from 'nestjs-snakepit';
import { SnakepitServer } from 'nestjs-snakepit/microservices';

import { serveDocs } from './docs.js';
import { greeting } from './greeting.js';
import { createApplication } from './http-adapter.js';
import { readSettings, type Settings } from './settings.js';

async function serve(): Promise<void> {
  // Nest logs before it has read the configuration.
  const { LOG_FORMAT, SNAKEPIT_HTTP } = readSettings(process.env);
  const app = await createApplication(SNAKEPIT_HTTP, {
    abortOnError: false,
    // When the pools have drained, whoever is still connected only keeps the process from ending.
    forceCloseConnections: true,
    logger: loggerOf(LOG_FORMAT),
  });
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  serveDocs(app);
  app.connectMicroservice({ strategy: new SnakepitServer(app.get(Snakepit)) });
  const config = app.get<ConfigService<Settings, true>>(ConfigService);
  const host = config.get('HOST', { infer: true });
  try {
    await app.startAllMicroservices();
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
async function urlOf(app: INestApplication): Promise<string> {
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
