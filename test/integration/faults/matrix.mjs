// Every fault that a worker can bring upon a running pool, and what its caller is told, for each language and protocol.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 2;
/** Time for a call that nothing but its deadline ends. */
const SHORT = { timeoutMs: 400 };

const EXITED = { code: 'WORKER_EXITED', delivery: 'may-have-run' };
const LOST = { code: 'WORKER_LOST', delivery: 'may-have-run' };
const BROKEN = { code: 'PROTOCOL_ERROR', delivery: 'may-have-run' };
const LATE = { code: 'CALL_TIMEOUT', delivery: 'may-have-run' };

/** Whether a worker that does nothing any more is found by its heartbeat, and not by the call's deadline alone. */
const answersWhileBusy = ({ language, protocol }) => language === 'python' && protocol !== 'v1';
const forFrozen = (lane) => (answersWhileBusy(lane) ? LOST : LATE);

/** To a process that may just have ended by another fault. */
function send(signal, pid) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** A call that waits until its worker gets a signal. */
const whileItWaits = (signal, optionsFor) => (pool, scratch, lane) => {
  const began = scratch();
  const call = pool.execute('wait', { began }, optionsFor?.(lane));
  call.catch(() => {});
  return untilExists(began, call).then(() => {
    send(signal, Number(readFileSync(began, 'utf8')));
    return call;
  });
};
const command =
  (name, args = {}, optionsFor) =>
  (pool, _, lane) =>
    pool.execute(name, args, optionsFor?.(lane));
const untilFound = (lane) => (answersWhileBusy(lane) ? undefined : SHORT);

/** @type {readonly import('./matrix.d.mts').Fault[]} */
export const FAULTS = [
  {
    name: 'SIGKILL',
    provoke: whileItWaits('SIGKILL'),
    ends: () => EXITED,
    says: /SIGKILL/,
  },
  {
    name: 'SIGSTOP',
    provoke: whileItWaits('SIGSTOP', untilFound),
    ends: forFrozen,
  },
  {
    name: 'SIGSTOP while idle',
    provoke: (pool) =>
      pool
        .stats()
        .pids.slice(0, 1)
        .forEach((pid) => send('SIGSTOP', pid)),
    ends: () => undefined,
  },
  { name: 'SIGSEGV', provoke: command('crash'), ends: () => EXITED, says: /SIGSEGV/ },
  { name: 'exit in a handler', provoke: command('leave', { status: 3 }), ends: () => EXITED, says: /status 3/ },
  { name: 'hang', provoke: command('spin', {}, () => SHORT), ends: () => LATE },
  {
    name: 'hang in native code that holds the interpreter',
    provoke: command('block_interpreter', {}, untilFound),
    ends: forFrozen,
  },
  { name: 'memory balloon', provoke: command('swell', { megabytes: 450 }), ends: () => ({ value: 450 }) },
  { name: 'garbage', provoke: command('corrupt', { how: 'garbage' }, untilNoticed), ends: forUnreadable },
  { name: 'truncated frame', provoke: command('corrupt', { how: 'truncated' }), ends: () => EXITED },
  {
    name: 'unknown id',
    provoke: command('corrupt', { how: 'unknown-id' }),
    ends: ({ protocol }) => (protocol === 'grpc' ? LOST : BROKEN),
  },
  {
    name: 'duplicate reply',
    provoke: command('corrupt', { how: 'duplicate' }),
    ends: ({ protocol }) => ({ value: protocol === 'v1' ? 1 : null }),
    leftOut: {
      'python grpc': 'no library for gRPC sends a second reply; see by-hand.spec.ts',
      'node grpc': 'no library for gRPC sends a second reply; see by-hand.spec.ts',
    },
  },
  {
    name: 'header of the greatest length',
    provoke: command('corrupt', { how: 'too-long' }, untilNoticed),
    ends: forUnreadable,
  },
  {
    name: 'stray prints',
    provoke: (pool, _, lane) => pool.execute('print_astray', { behind: lane.name !== 'node v1' }),
    ends: () => ({ value: 'printed' }),
    logs: 'astray',
    isHarmless: true,
  },
  {
    name: 'prints on the descriptor that is the channel',
    provoke: command('print_astray', { behind: true }),
    ends: () => BROKEN,
    leftOut: Object.fromEntries(
      ['python v1', 'python v2', 'python grpc', 'node v2', 'node grpc'].map((lane) => [
        lane,
        'descriptor 1 is not the channel; see stray prints',
      ]),
    ),
  },
  {
    name: 'channel closed by the worker',
    provoke: command('close_channel'),
    ends: ({ protocol }) => (protocol === 'grpc' ? LOST : EXITED),
  },
  {
    name: 'ECONNRESET',
    provoke: command('reset_channel'),
    ends: () => LOST,
    leftOut: Object.fromEntries(
      ['python v1', 'python v2', 'node v1', 'node v2'].map((lane) => [
        lane,
        'a socket pair cannot be reset; see channel closed by the worker',
      ]),
    ),
  },
  { name: 'no more descriptors', provoke: command('open_all'), ends: () => ({ value: 'EMFILE' }), isHarmless: true },
];

/** What no frame of HTTP/2 can be silences a connection of Node without ending it; what is silent is found as what is frozen. */
function forUnreadable(lane) {
  return lane.protocol === 'grpc' ? forFrozen(lane) : BROKEN;
}

function untilNoticed(lane) {
  return lane.protocol === 'grpc' ? untilFound(lane) : undefined;
}

/** Waits for a file; rejects as the call does when that ends before. */
async function untilExists(path, call) {
  const over = new AbortController();
  const end = call.then(() => {
    throw new Error('the call ended before its worker could write');
  });
  const exists = async () => {
    while (!over.signal.aborted && !existsSync(path)) await sleep(POLL_MS);
  };
  try {
    await Promise.race([exists(), end]);
  } finally {
    over.abort();
  }
}
