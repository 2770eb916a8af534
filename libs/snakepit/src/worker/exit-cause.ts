import { oomKills } from './oom-kills.js';

/** How a worker's process ended. */
export type ExitCause =
  | { readonly kind: 'exit'; readonly status: number }
  /** Without an origin it is unknown who sent the signal: the process itself, the kernel, or someone else. */
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals; readonly origin?: 'host' | 'out-of-memory' }
  | { readonly kind: 'not-spawned'; readonly message: string }
  /** It is gone, and so is the one who could have told how it ended. */
  | { readonly kind: 'unknown'; readonly message: string }
  /** There was but a connection to it, which is gone. */
  | { readonly kind: 'disconnected'; readonly message: string };

/** `wasSent`: the host itself has sent this signal. To be called once for each end, since it takes note of kills for lack of memory. */
export function signalCause(signal: NodeJS.Signals, wasSent: boolean): ExitCause {
  if (wasSent) return { kind: 'signal', signal, origin: 'host' };
  if (signal === 'SIGKILL' && oomKills.takeOne()) return { kind: 'signal', signal, origin: 'out-of-memory' };
  return { kind: 'signal', signal };
}

/** What is known of a signal that the host has not sent. */
const MEANINGS: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: 'not sent by this host: perhaps the system was out of memory, perhaps somebody killed it',
  SIGXCPU: 'it has used up its CPU time, privileges.cpuSeconds',
  SIGSEGV: 'native code crashed',
  SIGBUS: 'native code crashed, or a shared memory file was cut or found no room',
  SIGILL: 'native code crashed',
  SIGFPE: 'native code crashed',
  SIGABRT: 'native code gave up',
  SIGSYS: 'it made a system call that is forbidden to it',
};

export function describeExit(cause: ExitCause): string {
  switch (cause.kind) {
    case 'exit':
      return `status ${cause.status}`;
    case 'signal':
      return describeSignal(cause.signal, cause.origin);
    case 'not-spawned':
      return `not spawned: ${cause.message}`;
    case 'unknown':
      return `status unknown: ${cause.message}`;
    case 'disconnected':
      return `disconnected: ${cause.message}`;
  }
}

function describeSignal(signal: NodeJS.Signals, origin: 'host' | 'out-of-memory' | undefined): string {
  if (origin === 'host') return `signal ${signal}`;
  if (origin === 'out-of-memory') return `signal ${signal} (killed by the system for lack of memory)`;
  const meaning = MEANINGS[signal];
  return meaning === undefined ? `signal ${signal}` : `signal ${signal} (${meaning})`;
}
