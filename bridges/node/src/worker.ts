#!/usr/bin/env node
// Runs the functions that a file exports as commands: node worker.js --module /path/to/file.js
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { processHooks } from './definition.js';
import { loadCommands, type Command } from './load-commands.js';
import { serveLifeline } from './grpc/lifeline.js';
import { serveStandalone, STANDALONE_OPTIONS, type StandaloneFlags } from './grpc/standalone.js';
import { serveSocket } from './socket-worker.js';
import { claimStdout, StdioWorker } from './stdio-worker.js';

const HELP = `Runs the functions that a JavaScript file exports as commands of a snakepit worker.

  --module FILE     the file; without it, the generic commands ping, echo, compute, info and random
  --protocol NAME   codec of protocol v1: json, msgpack or auto (default)
  --help            this text

A host that starts the worker chooses protocol v2 or gRPC by the environment variables SNAKEPIT_PROTOCOL and SNAKEPIT_FD. A worker
that nobody starts serves gRPC, for as many hosts as attach:

  --listen ADDRESS       host:port, or unix:/path; several times: the first that is free
  --token-file FILE      the token that hosts have to show; needed
  --tls-cert FILE        PEM files for mutual TLS: the worker's certificate,
  --tls-key FILE         its key,
  --tls-client-ca FILE   and who signs the certificates of hosts
  --max-frame-bytes N    largest arguments or result (64 MiB)
  --drain-seconds N      how long calls may go on after SIGTERM (25); a second SIGTERM ends them

It prints {"listening": ADDRESS} when it can be reached.
`;

const V1_PROTOCOLS = ['json', 'msgpack', 'auto'] as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      module: { type: 'string' },
      protocol: { type: 'string', default: 'auto' },
      help: { type: 'boolean' },
      ...STANDALONE_OPTIONS,
    },
    // A host may pass options of its own.
    strict: false,
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  // Who starts it by hand may leave `--module` out.
  const module = values.module ?? (values.listen === undefined ? undefined : positionals[0]);
  const path = typeof module === 'string' ? resolve(module) : genericModule();
  if (values.listen !== undefined) return await serveStandalone(values as StandaloneFlags, () => start(path));
  const transport = process.env['SNAKEPIT_PROTOCOL'];
  if (transport === 'v2') serveSocket(descriptor(), start(path));
  else if (transport === 'grpc') serveLifeline(descriptor(), start(path));
  else await serveStdio(path, V1_PROTOCOLS.find((name) => name === values.protocol) ?? 'auto');
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
  const write = claimStdout();
  new StdioWorker(await start(path), protocol, write).listen();
}

function descriptor(): number {
  const fd = Number(process.env['SNAKEPIT_FD']);
  if (Number.isInteger(fd) && fd > 2) return fd;
  throw new Error(`SNAKEPIT_FD is '${process.env['SNAKEPIT_FD']}'; expected the number of the socket's descriptor`);
}

await main();
