import type { PoolService } from '../../runtime/index.js';
import type { Fault, FaultScope } from './fault.js';
import type { FaultError } from './failure-of.js';

export interface CrashScope extends FaultScope {
  /** The worker exits with this status. A real worker is killed by SIGKILL, whatever is said here. */
  readonly status?: number;
  /** The worker ends by this signal; by default SIGSEGV. */
  readonly signal?: NodeJS.Signals;
}

/** Makes workers do what workers do on their bad days; what follows is the pool's own doing. */
export interface Faults {
  /**
   * The worker ends with the next call in its hands: WORKER_EXITED, may have run.
   *
   * @param command undefined: any
   */
  crashNext(command?: string, scope?: CrashScope): Fault;
  /** Calls never come back: CALL_TIMEOUT, may have run; their worker is killed `cancelGraceMs` later and replaced. */
  hang(command?: string, scope?: FaultScope): Fault;
  /** Answers and items come so much later, on the pool's clock. */
  delay(command: string | undefined, ms: number, scope?: FaultScope): Fault;
  /** The next call fails, without having reached the command: REMOTE_ERROR, ran; or with the `code` that is given. */
  failNext(command: string | undefined, error: FaultError, scope?: FaultScope): Fault;
  /** The worker answers the next call by bytes that make no sense: PROTOCOL_ERROR, may have run; over gRPC the call fails with MISUSE. */
  breakProtocol(command?: string, scope?: FaultScope): Fault;
  /** The next starts of workers fail: WORKER_START_FAILED, and POOL_NOT_READY where no worker is left. */
  refuseStart(times?: number, reason?: string): Fault;
  /** Kills a worker, or all, by SIGKILL; returns their ids. */
  killWorker(id?: string): string[];
  /** Stops a worker, or all, as SIGSTOP does, until cleared: WORKER_LOST when their heartbeat is missed. */
  freezeWorker(id?: string): Fault;
  /** Closes the connection of a worker, or of all, whose ids it returns: WORKER_EXITED; of workers that somebody else has started, WORKER_LOST. */
  dropConnection(id?: string): string[];
  /** Keeps all workers busy, until cleared: calls wait, and QUEUE_TIMEOUT ends their waiting. */
  occupy(): Fault;
  /** {@link occupy}, and a full queue besides: POOL_SATURATED for each call, until cleared. The calls that fill it count in the pool's statistics. */
  saturate(pool: PoolService): Fault;
  /** Clears all that were not. */
  clear(): void;
}
