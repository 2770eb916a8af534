import { availableParallelism } from 'node:os';

import { option } from '../../core/index.js';
import { MAX_SIZE, milliseconds } from './shared.js';

/** How many workers a pool has. */
export const sizeOptionTable = {
  size: option.optionalInteger({
    doc: 'Number of workers, where `autoscale` is off; of `grpc()`, number of connections, which are shared out evenly among its addresses.',
    min: 1,
    max: MAX_SIZE,
    defaultDoc: 'number of CPUs; of `grpc()`, number of addresses',
  }),
  autoscale: option.toggle(
    {
      min: option.integer({
        doc: 'The fewest workers; as many are started.',
        unit: 'workers',
        min: 1,
        max: MAX_SIZE,
        default: 1,
      }),
      max: option.integer({
        doc: 'The most workers.',
        unit: 'workers',
        min: 1,
        max: MAX_SIZE,
        default: () => availableParallelism(),
        defaultDoc: 'number of CPUs',
      }),
      queueWaitMs: milliseconds({
        doc: 'A call that has waited this long makes the pool grow; earlier where new workers would otherwise come too late for `queueTimeoutMs`.',
        min: 0,
        default: 50,
      }),
      utilizationPercent: option.integer({
        doc: 'How busy the workers are to be, at most; the pool grows beforehand, so that calls need not wait.',
        unit: '%',
        min: 1,
        max: 100,
        default: 80,
      }),
      downAfterMs: milliseconds({
        doc: 'For how long fewer workers must have been enough before the pool shrinks.',
        min: 0,
        default: 30_000,
      }),
      checkIntervalMs: milliseconds({
        doc: 'How often the load is looked at.',
        min: 10,
        default: 100,
      }),
    },
    { doc: 'As many workers as the load needs, instead of `size`.' },
  ),
};
