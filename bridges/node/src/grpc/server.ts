import type { ServerCredentials, ServiceDefinition } from '@grpc/grpc-js';
import { HealthService, WorkerService } from 'nestjs-snakepit/codec/grpc';

import type { Command } from '../load-commands.js';
import { runShutdownHooks } from '../process-end.js';
import { GrpcWorker } from './grpc-worker.js';
import { Health } from './health.js';
import { bindFirst, type Listener } from './listener.js';
import { loadGrpc, type Grpc } from './load-grpc.js';
import { Reflection, REFLECTION_SERVICES } from './reflection.js';
import { maxMessageBytes, type GrpcSettings } from './settings.js';
import { tokenGuard } from './token-guard.js';

/** More than a host may have in flight, with room for its control stream and probes. */
const MAX_RPCS_PER_CONNECTION = 2048;
/** How long hosts have to part from a worker that ends. */
const PARTING_MS = 1000;
const SIGTERM_PARTING_MS = 100;

/** Who may end this worker, and how. */
export type Ownership =
  /** One host has started it. */
  | { readonly isOwned: true }
  /** Nobody: it ends by SIGTERM, and calls may go on for so long. */
  | { readonly isOwned: false; readonly drainMs: number };

/** Serves gRPC from when it is returned until the process ends. Returns where it can be reached. */
export async function startServer(
  settings: GrpcSettings,
  commands: readonly Command[],
  ownership: Ownership,
): Promise<string> {
  const { isOwned } = ownership;
  const grpc = await loadGrpc();
  const credentials = credentialsOf(grpc, settings);
  const bytes = maxMessageBytes(settings.maxFrameBytes);
  const server = new grpc.Server({
    interceptors: settings.token === undefined ? [] : [tokenGuard(grpc, settings.token)],
    'grpc.max_receive_message_length': bytes,
    'grpc.max_send_message_length': bytes,
    'grpc.max_concurrent_streams': MAX_RPCS_PER_CONNECTION,
    'grpc.enable_channelz': 0,
  });
  const health = new Health(grpc);
  let isEnding = false;
  const end = (partingMs: number): void => {
    if (isEnding) return;
    isEnding = true;
    void endProcess({ server, worker, health, listener, partingMs });
  };
  const worker = new GrpcWorker({
    grpc,
    commands,
    maxFrameBytes: settings.maxFrameBytes,
    isOwned,
    onShutdown: () => health.stopServing(),
    onIdle: () => end(PARTING_MS),
  });
  server.addService(WorkerService as unknown as ServiceDefinition, worker.handlers());
  server.addService(HealthService as unknown as ServiceDefinition, health.handlers());
  if (settings.reflection) addReflection(grpc, server);
  const listener = await bindFirst(settings.listen, { replacesDeadSockets: !isOwned });
  // Binding is ours, because `bindAsync` tells of failures by text only and binds a part of a name's addresses.
  const { injectConnection } = server.createConnectionInjector(credentials);
  listener.server.on('connection', injectConnection);
  let isDraining = false;
  process.on('SIGTERM', () => {
    if (ownership.isOwned || isDraining) return end(SIGTERM_PARTING_MS);
    isDraining = true;
    setTimeout(() => end(SIGTERM_PARTING_MS), ownership.drainMs).unref();
    worker.drain();
  });
  return listener.address;
}

function credentialsOf({ ServerCredentials }: Grpc, { tls }: GrpcSettings): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { cert_chain: Buffer.from(tls.certificate), private_key: Buffer.from(tls.key) };
  return ServerCredentials.createSsl(Buffer.from(tls.clientCa), [pair], true);
}

function addReflection(grpc: Grpc, server: InstanceType<Grpc['Server']>): void {
  const reflection = new Reflection(grpc, ['snakepit.v2.Worker', 'grpc.health.v1.Health']);
  for (const service of Object.values(REFLECTION_SERVICES)) {
    server.addService(service as unknown as ServiceDefinition, reflection.handlers());
  }
}

interface Ending {
  readonly server: InstanceType<Grpc['Server']>;
  readonly worker: GrpcWorker;
  readonly health: Health;
  readonly listener: Listener;
  readonly partingMs: number;
}

async function endProcess({ server, worker, health, listener, partingMs }: Ending): Promise<void> {
  health.stopServing();
  worker.refuseCalls();
  // The file of a Unix socket goes with it.
  listener.server.close();
  await runShutdownHooks();
  // The last answers are on their way through grpc-js, and must leave before the control stream ends.
  await new Promise((resolve) => setImmediate(resolve));
  worker.part();
  await Promise.race([
    new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
    new Promise<void>((resolve) => setTimeout(resolve, partingMs)),
  ]);
  process.exit(0);
}
