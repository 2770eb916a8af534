#!/usr/bin/env node
// Runs the functions that a file exports as commands: node worker.js --module /path/to/file.js
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { processHooks } from './definition.js';
import { loadCommands, type Command } from './load-commands.js';
import { installProcessLog } from './process-log.js';

const HELP = `Runs the functions that a JavaScript file exports as commands of a snakepit worker.

  --module FILE     the file; without it, the generic commands ping, echo, compute, info and random
  --protocol NAME   codec of protocol v1: json, msgpack or auto (default)
  --help            this text

A host that starts the worker chooses protocol v2 or gRPC by the environment variables SNAKEPIT_PROTOCOL and SNAKEPIT_FD. A worker
that nobody starts serves gRPC, for as many hosts as attach:

  FILE                   the file with the commands
  --listen ADDRESS       host:port, or unix:/path; several times: the first that is free
  --token-file FILE      holds the token that hosts have to show
  --no-token             let in whoever can connect, and run what they ask for
  --tls-cert FILE        the worker's certificate chain, PEM
  --tls-key FILE         its key, PEM
  --tls-client-ca FILE   who signs the hosts' certificates, PEM
  --max-frame-bytes N    what a value may take; default 64 MiB
  --reflection           serve grpc.reflection as well
  --drain-seconds N      how long calls may go on after SIGTERM, a second of which ends them; default 25

It prints {"listening": ADDRESS} when it can be reached. Exit status: 0 after SIGTERM, 1 when it cannot start, 2 for wrong usage.
`;

const V1_PROTOCOLS = ['json', 'msgpack', 'auto'] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      module: { type: 'string' },
      protocol: { type: 'string', default: 'auto' },
      listen: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
    // A host may pass options of its own.
    strict: false,
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  if (values.listen !== undefined) return await standalone(process.argv.slice(2));
  const transport = process.env['SNAKEPIT_PROTOCOL'];
  if (transport === 'v2' || transport === 'grpc') installProcessLog();
  const path = typeof values.module === 'string' ? resolve(values.module) : genericModule();
  // Each way to serve is loaded alone: a start takes a fifth longer with what gRPC needs.
  if (transport === 'v2') (await import('./socket-worker.js')).serveSocket(descriptor(), start(path));
  else if (transport === 'grpc') (await import('./grpc/lifeline.js')).serveLifeline(descriptor(), start(path));
  else await serveStdio(path, V1_PROTOCOLS.find((name) => name === values.protocol) ?? 'auto');
}

async function standalone(args: readonly string[]): Promise<void> {
  installProcessLog();
  const { serveStandalone, STANDALONE_USAGE, UsageError } = await import('./grpc/standalone.js');
  try {
    await serveStandalone(args, (module) => start(resolve(module)));
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${STANDALONE_USAGE}\nsnakepit-node-worker: error: ${error.message}`);
      process.exit(2);
    }
    console.error(`the worker cannot start: ${error instanceof Error ? error.stack : String(error)}`);
    process.exit(1);
  }
}

function genericModule(): string {
  return fileURLToPath(new URL('generic.js', import.meta.url));
}

async function start(path: string): Promise<Command[]> {
  const commands = await loadCommands(path);
  for (const hook of processHooks().start) await hook();
  return commands;
}

async function serveStdio(path: string, protocol: (typeof V1_PROTOCOLS)[number]): Promise<void> {
  const { claimStdout, StdioWorker } = await import('./stdio-worker.js');
  const write = claimStdout();
  new StdioWorker(await start(path), protocol, write).listen();
}

function descriptor(): number {
  const fd = Number(process.env['SNAKEPIT_FD']);
  if (Number.isInteger(fd) && fd > 2) return fd;
  throw new Error(`SNAKEPIT_FD is '${process.env['SNAKEPIT_FD']}'; expected the number of the socket's descriptor`);
}

await main();
