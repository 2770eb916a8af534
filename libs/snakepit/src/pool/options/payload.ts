import { MAX_ELEMENTS } from '../../codec/index.js';
import { option } from '../../core/index.js';

/** What may travel between host and workers, and by which way. */
export const payloadOptionTable = {
  maxFrameBytes: option.integer({
    doc: 'The largest arguments, result or stream item, encoded.',
    unit: 'bytes',
    min: 1_024,
    max: 2_147_483_647,
    default: 64 * 1024 * 1024,
  }),
  arena: option.group(
    {
      enabled: option.boolean({
        doc: 'Large binary goes through shared memory, where the system has `/dev/shm` and the worker knows how; else through the socket.',
        default: true,
      }),
      mapped: option.boolean({
        doc: 'The host maps that memory, where the package `koffi` is installed and the system is a 64-bit Linux; else it reads and writes it by system calls, which take three times as long.',
        default: true,
      }),
      bytes: option.integer({
        doc: 'How much may be on its way at once in each direction, per worker. It takes memory only as far as it was ever used; what finds no room goes through the socket.',
        unit: 'bytes',
        min: 1024 * 1024,
        max: 1024 ** 4,
        default: 256 * 1024 * 1024,
      }),
      thresholdBytes: option.integer({
        doc: 'The smallest binary value that goes through shared memory.',
        unit: 'bytes',
        min: 4_096,
        max: 2_147_483_647,
        default: 256 * 1024,
      }),
    },
    { doc: 'Shared memory for large binary.' },
  ),
  maxDepth: option.integer({
    doc: 'How deep arguments and results may be nested.',
    unit: 'levels',
    min: 1,
    max: 1_000,
    default: 64,
  }),
  maxElements: option.integer({
    doc: 'How many values one result, or anything else that a worker sends at once, may hold: items of lists, members of maps. A worker that sends more has broken the protocol.',
    unit: 'values',
    min: 1_000,
    max: 2_147_483_647,
    default: MAX_ELEMENTS,
  }),
  streamCredit: option.optionalInteger({
    doc: 'How many items of a stream may be on their way to a consumer that has not taken them.',
    unit: 'items',
    min: 1,
    max: 65_535,
    defaultDoc: '64; over gRPC 256',
  }),
};
