import { isPlainObject, option, SnakepitError, type OptionsInput, type OptionsResolved } from '../../core/index.js';
import type { FakeCommand, FakeContext, FakeWorker } from './context.js';

export type FakeCommands = Readonly<Record<string, FakeCommand>>;

function areCommands(given: unknown): given is FakeCommands {
  return isPlainObject(given) && Object.values(given).every((each) => typeof each === 'function');
}

function isLatency(given: unknown): given is number | Readonly<Record<string, number>> {
  const isTime = (each: unknown): boolean => typeof each === 'number' && each >= 0 && Number.isFinite(each);
  return isTime(given) || (isPlainObject(given) && Object.values(given).every(isTime));
}

function isHook(given: unknown): boolean {
  return given === undefined || typeof given === 'function';
}

type StartHook = ((worker: FakeWorker) => unknown) | undefined;
type SessionOpenHook = ((session: FakeContext['session'], worker: FakeWorker) => unknown) | undefined;
type SessionCloseHook = ((session: string, worker: FakeWorker) => unknown) | undefined;

/** Every option of `fake()`. */
export const fakeOptionTable = {
  commands: option.value(areCommands, 'an object of functions, one for each command', {
    doc: 'The commands by name. Each gets the arguments as its caller sent them, then the context; a generator is a stream.',
  }),
  latencyMs: option.value(isLatency, 'milliseconds from 0, or an object of such by command', {
    doc: "How long each call takes before its command begins, on the host's clock.",
    unit: 'ms',
    default: 0,
  }),
  workers: option.integer({
    doc: "Number of workers of a pool whose `size` is not given. They are not threads: one that computes holds up the host's process.",
    unit: 'workers',
    min: 1,
    max: 1024,
    default: 2,
  }),
  codec: option.oneOf(['auto', 'msgpack', 'json'], {
    doc: 'What arguments and results go through on their way, as with a real worker.',
    default: 'auto',
  }),
  onStart: option.value(isHook as (given: unknown) => given is StartHook, 'a function', {
    doc: 'Runs before a worker says that it is ready; throwing keeps it from starting.',
    default: undefined,
  }),
  onShutdown: option.value(isHook as (given: unknown) => given is StartHook, 'a function', {
    doc: 'Runs when a worker is told to end, after its calls.',
    default: undefined,
  }),
  onSessionOpen: option.value(isHook as (given: unknown) => given is SessionOpenHook, 'a function', {
    doc: "Runs before a session's first call in a worker.",
    default: undefined,
  }),
  onSessionClose: option.value(isHook as (given: unknown) => given is SessionCloseHook, 'a function', {
    doc: 'Runs when a session that had calls in a worker is over.',
    default: undefined,
  }),
};

export type FakeOptions = OptionsInput<typeof fakeOptionTable>;
export type ResolvedFakeOptions = OptionsResolved<typeof fakeOptionTable>;

/** @throws SnakepitError INVALID_OPTIONS for a fake that can do nothing, and for latencies of commands that it has not */
export function checkCommands({ commands, latencyMs }: ResolvedFakeOptions): void {
  const names = Object.keys(commands);
  if (names.length === 0) {
    const reason = "'fake.commands' is empty; give it the functions that your code calls.";
    throw new SnakepitError('INVALID_OPTIONS', { reason, option: 'fake.commands' });
  }
  const strangers = typeof latencyMs === 'number' ? [] : Object.keys(latencyMs).filter((name) => !(name in commands));
  if (strangers.length === 0) return;
  const reason = `'fake.latencyMs' names ${strangers.join(', ')}, which 'fake.commands' has not; it has ${names.join(', ')}.`;
  throw new SnakepitError('INVALID_OPTIONS', { reason, option: 'fake.latencyMs' });
}
