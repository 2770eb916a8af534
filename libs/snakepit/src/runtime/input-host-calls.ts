import { describeValue, isPlainObject, SnakepitError } from '../core/index.js';
import { InputFailure, type HostRequest } from '../pool/index.js';

const METHOD = 'input.read';
/** What a read gives at most where the worker says nothing. */
const DEFAULT_BYTES = 256 * 1024;
/** What a read gives at most. */
const MAX_BYTES = 1024 * 1024;
/** What a frame holds besides the chunk. */
const ENVELOPE_BYTES = 256;

/** Answers the host calls by which a worker reads the input of the call that it runs. */
export class InputHostCalls {
  constructor(private readonly maxFrameBytes: (pool: string) => number) {}

  /**
   * The next chunk, or null at the input's end.
   *
   * @throws SnakepitError UNKNOWN_COMMAND for any method but `input.read`; INVALID_ARGUMENTS where the call has no input or
   * two read at once; CANCELLED when the call is over, or when whoever sent the input has left; INPUT_FAILED
   */
  async answer({ method, args, call, pool }: HostRequest): Promise<Uint8Array | null> {
    if (method !== METHOD) throw new SnakepitError('UNKNOWN_COMMAND', { command: method, known: METHOD });
    const bytes = Math.min(wantedBytes(args), this.maxFrameBytes(pool) - ENVELOPE_BYTES);
    if (call === undefined) throw refused('the call that it names is not running');
    const { input, command } = call;
    if (input === undefined) {
      throw refused(`'${command}' was given no input; its caller has to pass one by the option 'input'`);
    }
    try {
      return await input.read(bytes);
    } catch (error) {
      throw error instanceof InputFailure ? error.toError(command, pool, 'may-have-run') : error;
    }
  }
}

function wantedBytes(args: unknown): number {
  const given = isPlainObject(args) ? (args['maxBytes'] ?? DEFAULT_BYTES) : DEFAULT_BYTES;
  if (Number.isInteger(given) && (given as number) > 0) return Math.min(given as number, MAX_BYTES);
  throw refused(`'args.maxBytes' is ${describeValue(given)}; allowed is an integer from 1`, 'args.maxBytes');
}

function refused(reason: string, path?: string): SnakepitError {
  return new SnakepitError('INVALID_ARGUMENTS', { command: METHOD, reason, ...(path !== undefined && { path }) });
}
