import { option } from '../../core/index.js';
import { isNonEmptyString, MAX_SIZE, milliseconds } from './shared.js';

/** How workers start, are watched, end and are replaced. */
export const supervisionOptionTable = {
  startTimeoutMs: milliseconds({
    doc: 'How long a worker may take from spawn to ready; loading the user code counts.',
    min: 1,
    default: 20_000,
  }),
  negotiationTimeoutMs: milliseconds({
    doc: 'Protocol v1 with codec `auto`: how long the negotiation may stay unanswered before JSON is assumed.',
    min: 1,
    default: 2_000,
  }),
  cancelGraceMs: milliseconds({
    doc: 'How long a call may go on after its deadline before its worker is killed and replaced.',
    min: 0,
    default: 2_000,
  }),
  killGraceMs: milliseconds({
    doc: 'How long a worker may take to exit when asked, and again between SIGTERM and SIGKILL.',
    min: 0,
    default: 2_000,
  }),
  drainTimeoutMs: milliseconds({
    doc: 'How long a closing pool waits for its calls.',
    min: 0,
    default: 10_000,
  }),
  heartbeatIntervalMs: milliseconds({
    doc: 'After how long a silence a worker is asked for a sign of life.',
    min: 10,
    default: 2_000,
  }),
  heartbeatTimeoutMs: milliseconds({
    doc: 'How long it may leave that unanswered before it is killed and replaced.',
    min: 10,
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
      initialDelayMs: milliseconds({
        doc: 'Delay before the first restart that is delayed at all; it doubles with every further crash.',
        min: 1,
        default: 100,
      }),
      maxDelayMs: milliseconds({
        doc: 'The longest delay between restarts.',
        min: 1,
        default: 10_000,
      }),
      windowMs: milliseconds({
        doc: 'Crashes older than this are forgotten.',
        min: 1,
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
      ttlMs: milliseconds({
        doc: 'After this time; 0 for any time.',
        min: 0,
        default: 0,
      }),
      idleMs: milliseconds({
        doc: 'After this time without a call, where it has answered any; 0 for any time.',
        min: 0,
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
        max: MAX_SIZE,
        default: 1,
      }),
      checkIntervalMs: milliseconds({
        doc: 'How often the workers are looked at.',
        min: 10,
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
      windowMs: milliseconds({
        doc: 'Deaths older than this are forgotten.',
        min: 1,
        default: 60_000,
      }),
      probeAfterMs: milliseconds({
        doc: 'After how long one call is let through to see whether it kills again; doubles each time it does.',
        min: 1,
        default: 5_000,
      }),
      maxProbeAfterMs: milliseconds({
        doc: 'The longest time between two such calls.',
        min: 1,
        default: 60_000,
      }),
    },
    { doc: 'Commands that keep killing workers.' },
  ),
};
