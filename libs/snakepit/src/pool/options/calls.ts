import { option } from '../../core/index.js';
import { batchOptionTable } from '../batching/batch-options.js';
import { VALIDATIONS } from '../contracts/validation.js';
import { isNonEmptyString, MAX_SIZE, milliseconds } from './shared.js';

/** How calls wait, what is checked of them, how workers get them and when they are tried again. */
export const callOptionTable = {
  timeoutMs: milliseconds({
    doc: 'How long a call may take, queue and execution together, when neither the call nor the adapter says.',
    min: 1,
    default: 60_000,
  }),
  streamTimeoutMs: milliseconds({
    doc: 'The same for a stream, from its start to its end.',
    min: 1,
    default: 300_000,
  }),
  queueTimeoutMs: milliseconds({
    doc: 'How long a call may wait for a worker.',
    min: 1,
    default: 5_000,
  }),
  maxQueue: option.integer({
    doc: 'How many calls may wait; one more is refused with POOL_SATURATED, or takes the place of one of lower priority.',
    unit: 'calls',
    min: 0,
    max: 10_000_000,
    default: 1_000,
  }),
  maxQueueBytes: option.integer({
    doc: 'How many bytes the arguments of waiting calls may take, by an estimate that counts strings and binary; beyond it calls are refused in the same way.',
    unit: 'bytes',
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    default: 256 * 1024 * 1024,
  }),
  shedding: option.boolean({
    doc: 'Calls that come too late are refused early while the pool is overloaded: with POOL_SATURATED where the queue is far too long for them, with QUEUE_TIMEOUT where their turn comes with too little time left.',
    default: true,
  }),
  window: option.integer({
    doc: 'How many short calls may be in the hands of one worker at once. 1 hands out one call at a time.',
    unit: 'calls',
    min: 1,
    max: 4_096,
    default: 64,
  }),
  pipelineBudgetUs: option.optionalInteger({
    doc: 'Estimated work that may lie before a call in its worker; beyond it the call waits in the queue, where any worker can take it.',
    unit: 'µs',
    min: 0,
    max: 1_000_000,
    defaultDoc: '200; over gRPC 1000',
  }),
  concurrency: option.integer({
    doc: 'How many long calls one worker runs side by side: asynchronous handlers, and plain ones of `python({ threads: true })`; see [Side by side](workers.md#side-by-side). Short calls come on top.',
    unit: 'calls',
    min: 1,
    max: 4_096,
    default: 1,
  }),
  batch: option.namedGroups(batchOptionTable, {
    doc: 'Commands whose calls are given to a worker several at once, by name. What is said here goes before what `@SnakepitCommand` and the worker say.',
    entry: 'command',
    default: {},
  }),
  validate: option.oneOf(VALIDATIONS, {
    doc: 'What is checked by the types that commands declare, see [contracts](contracts.md): `arguments` before a call is sent, results and items of streams too (`all`), or nothing.',
    default: 'arguments',
  }),
  affinity: option.oneOf(['hint', 'strict-queue', 'strict-fail-fast'], {
    doc: "Where a session's calls go when its worker is busy: to another (`hint`), into its queue, or back with SESSION_WORKER_UNAVAILABLE.",
    default: 'hint',
  }),
  tools: option.value<'all' | readonly string[]>(
    (given): given is 'all' | readonly string[] =>
      given === 'all' || (Array.isArray(given) && given.every(isNonEmptyString)),
    "'all', or a list of names of tools",
    {
      doc: 'Which tools of the host its workers may call; `[]` for none.',
      default: 'all',
    },
  ),
  nested: option.group(
    {
      maxDepth: option.integer({
        doc: 'How many tools may wait for a call, one inside the other: 1 lets a tool call this pool, and no tool that is called by that call.',
        unit: 'tools',
        min: 0,
        max: 64,
        default: 8,
      }),
      maxExtraWorkers: option.integer({
        doc: 'How many workers may be started beyond the size of the pool, for nested calls only, while all others are held by calls that wait for these. Where that is not enough, a nested call fails with NESTED_DEADLOCK. Asynchronous commands need none.',
        unit: 'workers',
        min: 0,
        max: MAX_SIZE,
        default: 4,
      }),
      idleMs: milliseconds({
        doc: 'After how long without a call such a worker leaves.',
        min: 0,
        default: 10_000,
      }),
      maxQueue: option.integer({
        doc: 'How many nested calls may wait, beside those that `maxQueue` is for, and before them; one more is refused with POOL_SATURATED.',
        unit: 'calls',
        min: 0,
        max: 10_000_000,
        default: 1_000,
      }),
    },
    { doc: 'Calls that tools of the host make while a worker waits for them.' },
  ),
  maxAttempts: option.integer({
    doc: 'How often a call that is `idempotent` is tried in all when workers die under it.',
    min: 1,
    max: 100,
    default: 3,
  }),
  retry: option.group(
    {
      initialDelayMs: milliseconds({
        doc: 'The longest delay before the second attempt; it doubles with every further one. 0 tries again at once.',
        min: 0,
        default: 20,
      }),
      maxDelayMs: milliseconds({
        doc: 'The longest delay between attempts.',
        min: 0,
        default: 1_000,
      }),
    },
    {
      doc: 'When an `idempotent` call is tried again: after a delay at random up to these bounds, and up to half of the time that it has left. A call that certainly did not start keeps its turn and has no delay.',
    },
  ),
};
