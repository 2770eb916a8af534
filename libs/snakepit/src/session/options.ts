import { option, type OptionsInput, type OptionsResolved } from '../core/index.js';
import { isSessionStore, type SessionStore } from './store.js';

/** A year: whatever must live longer belongs in a database. */
export const MAX_TTL_MS = 31_536_000_000;
/** Uses of a session by calls are recorded with a short delay, which must not outlast the session. */
export const MIN_TTL_MS = 1_000;
/** Longest delay that a timer of Node takes. */
const MAX_TIMER_MS = 2_147_483_647;

const ttl = { unit: 'ms', min: MIN_TTL_MS, max: MAX_TTL_MS, default: 3_600_000 } as const;

/** Options of sessions. */
export const SESSION_OPTIONS = {
  ttlMs: option.integer({
    ...ttl,
    doc: 'How long a session lives after its last access, unless it was created with a ttl of its own.',
  }),
  globalTtlMs: option.integer({ ...ttl, doc: 'How long a global program lives after it was last written.' }),
  cleanupIntervalMs: option.integer({
    unit: 'ms',
    min: 100,
    max: MAX_TIMER_MS,
    default: 60_000,
    doc: 'How often the memory store frees what has expired; expired entries are never seen, whatever this is.',
  }),
  maxSessions: option.integer({
    min: 1,
    max: 10_000_000,
    default: 10_000,
    doc: 'Sessions the memory store holds before it refuses new ones, and sessions whose last worker is remembered.',
  }),
  maxGlobals: option.integer({
    min: 1,
    max: 10_000_000,
    default: 10_000,
    doc: 'Global programs the memory store holds before it refuses new ones.',
  }),
  maxValueBytes: option.integer({
    unit: 'bytes',
    min: 1_024,
    max: 67_108_864,
    default: 1_048_576,
    doc: 'Largest value (one program, one metadata entry) that may be stored, by the estimate that stats use.',
  }),
  maxSessionBytes: option.integer({
    unit: 'bytes',
    min: 1_024,
    max: 1_073_741_824,
    default: 16_777_216,
    doc: 'Largest size of all metadata and programs of one session, by the same estimate.',
  }),
  store: option.value(
    (given): given is SessionStore | undefined => given === undefined || isSessionStore(given),
    'an object with the methods of SessionStore',
    {
      default: undefined,
      defaultDoc: 'in memory',
      doc: 'Where sessions are kept. A store given here is closed by its owner, not by the session service.',
    },
  ),
};

export type SessionOptionsInput = OptionsInput<typeof SESSION_OPTIONS>;
export type SessionOptions = OptionsResolved<typeof SESSION_OPTIONS>;
