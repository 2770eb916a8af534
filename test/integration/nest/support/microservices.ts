import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { node, python, Snakepit, SnakepitModule, type ProcessAdapter } from 'nestjs-snakepit';
import { SnakepitServer, type SnakepitServerOptions } from 'nestjs-snakepit/microservices';
import { inject } from 'vitest';
import { createApp } from './apps.js';

/** Workers with the commands of `fixtures/nest/messages.py` and `messages.js`, over each way that carries messages. */
export const messengers = {
  'python over v2': () => python({ module: 'test/fixtures/nest/messages.py' }),
  'python over gRPC': () =>
    python({ module: 'test/fixtures/nest/messages.py', transport: 'grpc', path: [inject('pythonPackages')] }),
  'node over v2': () => node({ module: 'test/fixtures/nest/messages.js' }),
  'node over gRPC': () => node({ module: 'test/fixtures/nest/messages.js', transport: 'grpc' }),
} satisfies Record<string, () => ProcessAdapter>;

export const MESSENGERS = Object.keys(messengers) as (keyof typeof messengers)[];

export const messengerPool = (adapter: ProcessAdapter = messengers['python over v2']()) =>
  SnakepitModule.forRoot({ adapter, size: 1 });

export interface HybridOptions {
  readonly server?: SnakepitServerOptions;
  readonly inheritAppConfig?: boolean;
}

/** A hybrid application whose microservice answers its workers; initialized, not listening. */
export async function hybridApp(
  metadata: ModuleMetadata,
  { server, inheritAppConfig = false }: HybridOptions = {},
): Promise<{ app: INestApplication; server: SnakepitServer }> {
  const app = await createApp(metadata);
  const strategy = new SnakepitServer(app.get(Snakepit), server);
  app.connectMicroservice({ strategy }, { inheritAppConfig });
  await app.startAllMicroservices();
  await app.init();
  return { app, server: strategy };
}
