import { option, resolveOptions, SnakepitError, type OptionsInput, type OptionsResolved } from '../core/index.js';
import type { Adapter, AttachSpec } from '../worker/launch-spec.js';
import { checkClientTls, clientTlsOf, clientTlsOption } from './grpc-options.js';

function isAddress(given: unknown): given is string {
  return typeof given === 'string' && given !== '';
}

function isAddressList(given: unknown): given is string | readonly string[] {
  return isAddress(given) || (Array.isArray(given) && given.length > 0 && given.every(isAddress));
}

/** Every option of `grpc()`. */
export const grpcOptionTable = {
  address: option.value<string | readonly string[]>(isAddressList, 'an address, or a list of addresses', {
    doc: 'Where the worker listens: `host:port`, `unix:/path`, or any other name that gRPC can resolve. Several workers are a list.',
  }),
  token: option.value(
    (given): given is string | undefined => typeof given === 'string' && given !== '',
    'a non-empty string',
    { doc: 'What the worker wants to be shown.', default: undefined },
  ),
  tls: clientTlsOption,
  protocol: option.oneOf(['v2', 'v1'], {
    doc: 'What it serves: `snakepit.v2.Worker`, or the `snakepit.SnakepitBridge` of snakepit 0.3.',
    default: 'v2',
  }),
  language: option.string({ doc: 'What the workers are, for messages.', default: 'grpc' }),
  codec: option.oneOf(['auto', 'msgpack', 'json'], {
    doc: 'Encoding of arguments and results; `auto` takes MessagePack where the worker has it.',
    default: 'auto',
  }),
};

export type GrpcOptions = OptionsInput<typeof grpcOptionTable>;

/**
 * Workers that this application does not start, in a container for instance: `grpc({ address: 'models:50051', token })`.
 *
 * The pool attaches to them, one connection for each of its `size`, which is the number of addresses unless it is given. Where
 * others are killed and started again, the connection to these is dropped and made again.
 */
export function grpc(given: GrpcOptions): Adapter {
  const options = resolveOptions(grpcOptionTable, given, 'grpc');
  checkClientTls('grpc', options.tls);
  checkCodec(options);
  const addresses = typeof options.address === 'string' ? [options.address] : [...options.address];
  return {
    name: options.language,
    defaultSize: addresses.length,
    async prepare(): Promise<AttachSpec> {
      const { language, token, tls, codec, protocol } = options;
      return {
        language,
        addresses,
        ...(token !== undefined && { token }),
        ...clientTlsOf('grpc', tls),
        codec,
        protocol,
      };
    },
  };
}

function checkCodec({ codec, protocol }: OptionsResolved<typeof grpcOptionTable>): void {
  if (codec !== 'msgpack' || protocol === 'v2') return;
  const reason = `'grpc.codec' 'msgpack' is not for protocol 'v1', whose values are JSON.`;
  throw new SnakepitError('INVALID_OPTIONS', { reason, option: 'grpc.codec' });
}
