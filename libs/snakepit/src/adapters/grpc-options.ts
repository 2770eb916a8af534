import { readFileSync } from 'node:fs';

import { option, SnakepitError, toError, type OptionsResolved } from '../core/index.js';
import type { AttachSpec, GrpcListenSpec, GrpcTlsSpec } from '../worker/launch-spec.js';
import { absolutePath } from './common-options.js';

const PEM_START = '-----BEGIN';

function isPem(given: unknown): given is string | URL {
  return (typeof given === 'string' && given !== '') || given instanceof URL;
}

/** A certificate or a key: its PEM text, or the file that holds it. */
function pemOption(doc: string) {
  const accepts = isPem as (given: unknown) => given is string | URL | undefined;
  return option.value(accepts, 'PEM text, a path, or a file URL', { doc, default: undefined });
}

const LOOPBACK = ['127.0.0.1', '::1'] as const;

const tlsTable = {
  ca: pemOption('Who signed both certificates.'),
  certificate: pemOption('What the host shows, with what is between it and `ca`.'),
  key: pemOption('The key to `certificate`.'),
  workerCertificate: pemOption('What the workers show, with what is between it and `ca`.'),
  workerKey: pemOption('The key to `workerCertificate`.'),
  serverName: option.string({ doc: 'The name in `workerCertificate`.', default: 'snakepit-worker' }),
};

const grpcTable = {
  listen: option.oneOf(['unix', 'tcp'], {
    doc: 'Where workers listen: on a Unix socket in a folder that only this user may enter, or on a port of a loopback address. Bridges of protocol `v1` always listen on a port, most of them on every interface.',
    default: 'unix',
  }),
  host: option.oneOf(LOOPBACK, { doc: 'For ports: the loopback address.', default: '127.0.0.1' }),
  basePort: option.integer({
    doc: 'For ports: the first one to try; 0 lets the system pick a free one.',
    min: 0,
    max: 65_535,
    default: 0,
  }),
  portRange: option.integer({
    doc: 'For ports: how many from `basePort` on may be tried.',
    unit: 'ports',
    min: 1,
    max: 65_535,
    default: 100,
  }),
  tls: option.toggle(tlsTable, {
    doc: 'Mutual TLS; `true` makes certificates for each start of a worker, which never touch a disk.',
  }),
  reflection: option.boolean({ doc: 'Serve server reflection, for tools such as `grpcurl`.', default: false }),
};

/** What every adapter that starts workers takes. */
export const transportOptions = {
  transport: option.oneOf(['fd', 'grpc'], {
    doc: 'How the protocol travels: over descriptors of the worker’s own, or over gRPC, which needs `npm install @grpc/grpc-js` and, in Python, `pip install grpcio`.',
    default: 'fd',
  }),
  grpc: option.group(grpcTable, { doc: 'For transport `grpc`: how workers listen.' }),
};

type TransportOptions = OptionsResolved<typeof transportOptions> & {
  readonly protocol: 'v1' | 'v2';
  readonly codec: 'auto' | 'json' | 'msgpack';
};

/** Why a bridge of protocol v1 cannot be given an option. */
const NOT_FOR_BRIDGES = "is not for protocol 'v1' over gRPC";

/** Refuses what contradicts itself. @throws SnakepitError INVALID_OPTIONS */
export function checkTransport(adapter: string, options: TransportOptions): void {
  const { protocol, transport, grpc } = options;
  const refuse = (name: string, reason: string): never => {
    throw new SnakepitError('INVALID_OPTIONS', {
      reason: `'${adapter}.${name}' ${reason}`,
      option: `${adapter}.${name}`,
    });
  };
  if (transport === 'fd') return;
  if (protocol === 'v1') checkBridge(adapter, options, refuse);
  const { listen, basePort, portRange, tls } = grpc;
  const isPort = listen === 'tcp' || protocol === 'v1';
  if (!isPort && basePort !== 0) refuse('grpc.basePort', `needs 'grpc.listen' to be 'tcp'.`);
  if (basePort !== 0 && basePort + portRange - 1 > 65_535) {
    refuse('grpc.portRange', `reaches beyond port 65535: basePort ${basePort} leaves ${65_536 - basePort} ports.`);
  }
  if (tls === false) return;
  const { serverName: _, ...files } = tls;
  const missing = Object.entries(files).filter(([, value]) => value === undefined);
  if (missing.length > 0 && missing.length < Object.keys(files).length) {
    const names = missing.map(([name]) => `'${name}'`).join(', ');
    refuse('grpc.tls', `lacks ${names}; give all, or 'tls: true' for certificates that are made.`);
  }
}

/** The ancestor's service has neither TLS nor reflection, and one form of values. */
function checkBridge(
  adapter: string,
  { grpc, codec }: TransportOptions,
  refuse: (name: string, reason: string) => never,
): void {
  if (adapter !== 'custom') {
    refuse(
      'transport',
      `'grpc' needs protocol 'v2'; start a gRPC bridge of snakepit 0.3 by custom({ executable, script, transport: 'grpc', protocol: 'v1' }).`,
    );
  }
  if (grpc.tls !== false) refuse('grpc.tls', `${NOT_FOR_BRIDGES}: such bridges do not speak TLS.`);
  if (grpc.reflection) refuse('grpc.reflection', `${NOT_FOR_BRIDGES}: such bridges are not told of it.`);
  if (codec === 'msgpack') refuse('codec', `'msgpack' ${NOT_FOR_BRIDGES}, whose values are JSON.`);
}

/** `{ grpc }` for a spec of workers over gRPC, else nothing. @throws SnakepitError INVALID_OPTIONS for unreadable files */
export function grpcOf(
  adapter: string,
  { transport, protocol, grpc }: TransportOptions,
): { readonly grpc?: GrpcListenSpec } {
  if (transport === 'fd') return {};
  const { host, basePort, portRange, tls, reflection } = grpc;
  const listen = protocol === 'v1' ? 'tcp' : grpc.listen;
  const common = { listen, host, basePort, portRange, reflection };
  if (tls === false) return { grpc: common };
  return { grpc: { ...common, tls: tls.ca === undefined ? 'one-time' : givenTls(adapter, tls) } };
}

function givenTls(adapter: string, tls: OptionsResolved<typeof tlsTable>): GrpcTlsSpec {
  const read = (name: Exclude<keyof typeof tls, 'serverName'>): string =>
    readPem(tls[name], `${adapter}.grpc.tls.${name}`) ?? '';
  return {
    ca: read('ca'),
    host: { certificate: read('certificate'), key: read('key') },
    worker: { certificate: read('workerCertificate'), key: read('workerKey') },
    serverName: tls.serverName,
  };
}

const clientTlsTable = {
  ca: pemOption("Who signed the worker's certificate; default: the authorities that Node.js trusts."),
  certificate: pemOption('What the host shows, where the worker asks for it.'),
  key: pemOption('The key to `certificate`.'),
  serverName: option.value(
    (given): given is string | undefined => typeof given === 'string' && given !== '',
    'a non-empty string',
    { doc: "The name in the worker's certificate.", default: undefined, defaultDoc: 'that of the address' },
  ),
};

/** TLS to a worker that somebody else has started. */
export const clientTlsOption = option.toggle(clientTlsTable, {
  doc: 'TLS; `true` trusts the authorities that Node.js does.',
});

type ClientTls = false | OptionsResolved<typeof clientTlsTable>;

export function checkClientTls(adapter: string, tls: ClientTls): void {
  if (tls === false || (tls.certificate === undefined) === (tls.key === undefined)) return;
  const reason = `'${adapter}.tls' has only one of 'certificate' and 'key'; give both, or none.`;
  throw new SnakepitError('INVALID_OPTIONS', { reason, option: `${adapter}.tls` });
}

export function clientTlsOf(adapter: string, tls: ClientTls): Pick<AttachSpec, 'tls'> {
  if (tls === false) return {};
  const read = (name: 'ca' | 'certificate' | 'key'): string | undefined => readPem(tls[name], `${adapter}.tls.${name}`);
  return { tls: { ca: read('ca'), certificate: read('certificate'), key: read('key'), serverName: tls.serverName } };
}

function readPem(given: string | URL | undefined, name: string): string | undefined {
  if (given === undefined || (typeof given === 'string' && given.trimStart().startsWith(PEM_START))) return given;
  const path = absolutePath(given);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = `'${name}' names ${path}, which cannot be read: ${toError(error).message}`;
    throw new SnakepitError('INVALID_OPTIONS', { reason, option: name });
  }
  if (text.includes(PEM_START)) return text;
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'${name}' names ${path}, which holds no PEM text.`,
    option: name,
  });
}
