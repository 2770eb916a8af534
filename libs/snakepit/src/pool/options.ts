import { availableParallelism } from 'node:os';

import { MAX_ELEMENTS } from '../codec/index.js';
import { option, type OptionsInput, type OptionsResolved } from '../core/index.js';
import { batchOptionTable } from './batching/batch-options.js';
import { VALIDATIONS } from './contracts/validation.js';
import { privilegeOptionTable, type Adapter } from '../worker/index.js';

/** See `profiles.ts`. */
export const PROFILE_NAMES = ['balanced', 'production-strict', 'development', 'ml-inference', 'batch'] as const;
export type PoolProfile = (typeof PROFILE_NAMES)[number];

const MAX_SIZE = 1_024;
const MAX_MS = 2_147_483_647;
const ms = 'ms';

function isAdapter(given: unknown): given is Adapter {
  return typeof given === 'object' && given !== null && typeof (given as Adapter).prepare === 'function';
}

function isNonEmptyString(given: unknown): boolean {
  return typeof given === 'string' && given !== '';
}

function isSize(given: unknown): given is number | undefined {
  return Number.isInteger(given) && (given as number) >= 1 && (given as number) <= MAX_SIZE;
}

function isCredit(given: unknown): given is number | undefined {
  return Number.isInteger(given) && (given as number) >= 1 && (given as number) <= 65_535;
}

function isBudget(given: unknown): given is number | undefined {
  return Number.isInteger(given) && (given as number) >= 0 && (given as number) <= 1_000_000;
}

function isThreads(given: unknown): given is number | undefined {
  return Number.isInteger(given) && (given as number) >= 0 && (given as number) <= 1_024;
}

/** Every option of one pool: the source of its validation, its types and its reference page. */
export const poolOptionTable = {
  adapter: option.value<Adapter>(isAdapter, "an adapter such as python({ module: './workers/report.py' })", {
    doc: 'What the workers are: `python()`, `node()`, `ruby()`, `r()`, `go()`, `custom()`, or your own `Adapter`.',
  }),
  size: option.value(isSize, 'an integer from 1 to 1024', {
    doc: 'Number of workers, where `autoscale` is off; of `grpc()`, number of connections, which are shared out evenly among its addresses.',
    text: 'number',
    default: undefined,
    defaultDoc: 'number of CPUs; of `grpc()`, number of addresses',
  }),
  autoscale: option.toggle(
    {
      min: option.integer({
        doc: 'The fewest workers; as many are started.',
        unit: 'workers',
        min: 1,
        max: 1024,
        default: 1,
      }),
      max: option.integer({
        doc: 'The most workers.',
        unit: 'workers',
        min: 1,
        max: 1024,
        default: () => availableParallelism(),
        defaultDoc: 'number of CPUs',
      }),
      queueWaitMs: option.integer({
        doc: 'A call that has waited this long makes the pool grow; earlier where new workers would otherwise come too late for `queueTimeoutMs`.',
        unit: ms,
        min: 0,
        max: MAX_MS,
        default: 50,
      }),
      utilizationPercent: option.integer({
        doc: 'How busy the workers are to be, at most; the pool grows beforehand, so that calls need not wait.',
        unit: '%',
        min: 1,
        max: 100,
        default: 80,
      }),
      downAfterMs: option.integer({
        doc: 'For how long fewer workers must have been enough before the pool shrinks.',
        unit: ms,
        min: 0,
        max: MAX_MS,
        default: 30_000,
      }),
      checkIntervalMs: option.integer({
        doc: 'How often the load is looked at.',
        unit: ms,
        min: 10,
        max: MAX_MS,
        default: 100,
      }),
    },
    { doc: 'As many workers as the load needs, instead of `size`.' },
  ),
  profile: option.oneOf(PROFILE_NAMES, {
    doc: 'Defaults for a kind of work, see [Profiles](#profiles); what is said here beside it goes before them.',
    default: 'balanced',
  }),
  timeoutMs: option.integer({
    doc: 'How long a call may take, queue and execution together, when neither the call nor the adapter says.',
    unit: ms,
    min: 1,
    max: MAX_MS,
    default: 60_000,
  }),
  streamTimeoutMs: option.integer({
    doc: 'The same for a stream, from its start to its end.',
    unit: ms,
    min: 1,
    max: MAX_MS,
    default: 300_000,
  }),
  queueTimeoutMs: option.integer({
    doc: 'How long a call may wait for a worker.',
    unit: ms,
    min: 1,
    max: MAX_MS,
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
  pipelineBudgetUs: option.value(isBudget, 'an integer from 0 to 1000000 (µs)', {
    doc: 'Estimated work that may lie before a call in its worker; beyond it the call waits in the queue, where any worker can take it.',
    unit: 'µs',
    text: 'number',
    default: undefined,
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
      idleMs: option.integer({
        doc: 'After how long without a call such a worker leaves.',
        unit: ms,
        min: 0,
        max: MAX_MS,
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
      initialDelayMs: option.integer({
        doc: 'The longest delay before the second attempt; it doubles with every further one. 0 tries again at once.',
        unit: ms,
        min: 0,
        max: MAX_MS,
        default: 20,
      }),
      maxDelayMs: option.integer({
        doc: 'The longest delay between attempts.',
        unit: ms,
        min: 0,
        max: MAX_MS,
        default: 1_000,
      }),
    },
    {
      doc: 'When an `idempotent` call is tried again: after a delay at random up to these bounds, and up to half of the time that it has left. A call that certainly did not start keeps its turn and has no delay.',
    },
  ),
  startTimeoutMs: option.integer({
    doc: 'How long a worker may take from spawn to ready; loading the user code counts.',
    unit: ms,
    min: 1,
    max: MAX_MS,
    default: 20_000,
  }),
  negotiationTimeoutMs: option.integer({
    doc: 'Protocol v1 with codec `auto`: how long the negotiation may stay unanswered before JSON is assumed.',
    unit: ms,
    min: 1,
    max: MAX_MS,
    default: 2_000,
  }),
  cancelGraceMs: option.integer({
    doc: 'How long a call may go on after its deadline before its worker is killed and replaced.',
    unit: ms,
    min: 0,
    max: MAX_MS,
    default: 2_000,
  }),
  killGraceMs: option.integer({
    doc: 'How long a worker may take to exit when asked, and again between SIGTERM and SIGKILL.',
    unit: ms,
    min: 0,
    max: MAX_MS,
    default: 2_000,
  }),
  drainTimeoutMs: option.integer({
    doc: 'How long a closing pool waits for its calls.',
    unit: ms,
    min: 0,
    max: MAX_MS,
    default: 10_000,
  }),
  heartbeatIntervalMs: option.integer({
    doc: 'After how long a silence a worker is asked for a sign of life.',
    unit: ms,
    min: 10,
    max: MAX_MS,
    default: 2_000,
  }),
  heartbeatTimeoutMs: option.integer({
    doc: 'How long it may leave that unanswered before it is killed and replaced.',
    unit: ms,
    min: 10,
    max: MAX_MS,
    default: 10_000,
  }),
  maxLogRate: option.integer({
    doc: 'How many log records and lines of output per second of a worker reach the log; what exceeds that is dropped and counted.',
    min: 1,
    max: 1_000_000,
    default: 2_000,
  }),
  restart: option.group(
    {
      initialDelayMs: option.integer({
        doc: 'Delay before the first restart that is delayed at all; it doubles with every further crash.',
        unit: ms,
        min: 1,
        max: MAX_MS,
        default: 100,
      }),
      maxDelayMs: option.integer({
        doc: 'The longest delay between restarts.',
        unit: ms,
        min: 1,
        max: MAX_MS,
        default: 10_000,
      }),
      windowMs: option.integer({
        doc: 'Crashes older than this are forgotten.',
        unit: ms,
        min: 1,
        max: MAX_MS,
        default: 60_000,
      }),
      budget: option.integer({
        doc: 'Crashes within the window after which a pool without a ready worker refuses calls at once, while it keeps trying.',
        unit: 'crashes',
        min: 1,
        max: 1_000_000,
        default: 20,
      }),
    },
    { doc: 'How crashed workers are restarted.' },
  ),
  recycle: option.group(
    {
      maxCalls: option.integer({
        doc: 'After this many answered calls; 0 for any number.',
        unit: 'calls',
        min: 0,
        max: 1_000_000_000,
        default: 0,
      }),
      ttlMs: option.integer({
        doc: 'After this time; 0 for any time.',
        unit: ms,
        min: 0,
        max: MAX_MS,
        default: 0,
      }),
      idleMs: option.integer({
        doc: 'After this time without a call, where it has answered any; 0 for any time.',
        unit: ms,
        min: 0,
        max: MAX_MS,
        default: 0,
      }),
      maxRssBytes: option.integer({
        doc: 'When it takes more memory than this, all processes of its group together; 0 for any. Linux; elsewhere it has no effect, and the log says so.',
        unit: 'bytes',
        min: 0,
        max: Number.MAX_SAFE_INTEGER,
        default: 0,
      }),
      jitterPercent: option.integer({
        doc: 'How far below `maxCalls`, `ttlMs` and `idleMs` the limits of a single worker may lie, at random, so that not all leave at once.',
        unit: '%',
        min: 0,
        max: 90,
        default: 10,
      }),
      maxUnavailable: option.integer({
        doc: 'How many workers may be on their way out at once, here and in `reload()`. Each takes calls until its replacement is ready.',
        unit: 'workers',
        min: 1,
        max: 1_024,
        default: 1,
      }),
      checkIntervalMs: option.integer({
        doc: 'How often the workers are looked at.',
        unit: ms,
        min: 10,
        max: MAX_MS,
        default: 1_000,
      }),
    },
    { doc: 'When a healthy worker is replaced by a fresh one. Off unless a limit is given.' },
  ),
  watch: option.value<boolean | readonly string[]>(
    (given): given is boolean | readonly string[] =>
      typeof given === 'boolean' || (Array.isArray(given) && given.length > 0 && given.every(isNonEmptyString)),
    'true, false, or a list of paths',
    {
      doc: "For development: `reload()` by itself when sources change. `true` means those beside and below the adapter's module or script, a list files and folders of your choice.",
      text: 'boolean or list',
      default: false,
    },
  ),
  taint: option.group(
    {
      enabled: option.boolean({
        doc: 'A command that keeps killing workers is refused with COMMAND_TAINTED.',
        default: true,
      }),
      deaths: option.integer({
        doc: 'How many workers must have died of it, by a crash or an exit of their own. Twenty calls that their worker survives make up for one death.',
        unit: 'workers',
        min: 1,
        max: 1_000_000,
        default: 3,
      }),
      windowMs: option.integer({
        doc: 'Deaths older than this are forgotten.',
        unit: ms,
        min: 1,
        max: MAX_MS,
        default: 60_000,
      }),
      probeAfterMs: option.integer({
        doc: 'After how long one call is let through to see whether it kills again; doubles each time it does.',
        unit: ms,
        min: 1,
        max: MAX_MS,
        default: 5_000,
      }),
      maxProbeAfterMs: option.integer({
        doc: 'The longest time between two such calls.',
        unit: ms,
        min: 1,
        max: MAX_MS,
        default: 60_000,
      }),
    },
    { doc: 'Commands that keep killing workers.' },
  ),
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
  streamCredit: option.value(isCredit, 'an integer from 1 to 65535 (items)', {
    doc: 'How many items of a stream may be on their way to a consumer that has not taken them.',
    unit: 'items',
    text: 'number',
    default: undefined,
    defaultDoc: '64; over gRPC 256',
  }),
  env: option.stringMap({
    doc: "Environment variables of the workers, beside the host's that are on the allow-list.",
    default: {},
  }),
  inheritEnv: option.strings({
    doc: "Further names of the host's environment variables that workers may see.",
    default: [],
  }),
  numericThreads: option.value(isThreads, 'an integer from 0 to 1024 (threads)', {
    doc: 'How many threads numeric libraries (OpenMP, OpenBLAS, MKL, …) may use in one worker, by their environment variables; 0 leaves it to them. Where `env` or `inheritEnv` has one of these variables, none is set.',
    unit: 'threads',
    text: 'number',
    default: undefined,
    defaultDoc: 'the CPUs shared out evenly among the workers, at least 1',
  }),
  privileges: option.group(privilegeOptionTable, { doc: 'What workers may do and take, and whatever they start.' }),
};

export type PoolOptions = OptionsInput<typeof poolOptionTable>;
export type ResolvedPoolOptions = OptionsResolved<typeof poolOptionTable>;
