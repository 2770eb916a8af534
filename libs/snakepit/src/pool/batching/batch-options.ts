import {
  MAX_BATCH_SIZE,
  MAX_BATCH_WAIT_MS,
  option,
  type OptionsInput,
  type OptionsResolved,
} from '../../core/index.js';

/** How the calls of one command are batched. */
export const batchOptionTable = {
  maxSize: option.integer({
    doc: 'The most calls of one batch; a batch that has as many leaves at once.',
    unit: 'calls',
    min: 1,
    max: MAX_BATCH_SIZE,
    default: 32,
  }),
  maxWaitMs: option.integer({
    doc: 'How long a batch that is not full may wait for more calls before it takes its place in the queue; 0 for not at all.',
    unit: 'ms',
    min: 0,
    max: MAX_BATCH_WAIT_MS,
    default: 5,
  }),
  adaptive: option.boolean({
    doc: 'A batch that is not full waits only while another of the command runs, so that a call that comes alone leaves at once. `false`: it always waits.',
    default: true,
  }),
};

export type BatchOptions = OptionsInput<typeof batchOptionTable>;
export type BatchSettings = OptionsResolved<typeof batchOptionTable>;
