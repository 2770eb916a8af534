import { SnakepitError, type DeadlineSweep, type LogSink } from '../core/index.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolCall } from './pool-call.js';
import { callTimeout } from './pool-errors.js';
import type { Seat } from './seat.js';

/** How long a worker in which a command hangs may take to give back the calls it has not begun. */
const RECALL_MS = 100;

export interface OverdueCallsParts {
  readonly name: string;
  readonly options: ResolvedPoolOptions;
  readonly log: LogSink;
  readonly deadlines: DeadlineSweep;
}

/** Calls whose deadline has passed in a worker's hands: first they are asked to stop, then their worker is given up. */
export class OverdueCalls {
  readonly #parts: OverdueCallsParts;

  constructor(parts: OverdueCallsParts) {
    this.#parts = parts;
  }

  onExpired(call: PoolCall, seat: Seat<PoolCall>, nowMs: number): void {
    const { name: pool, options, log, deadlines } = this.#parts;
    const { command } = call;
    if (call.isOverdue) {
      const message = `'${command}' still runs ${options.cancelGraceMs} ms after its deadline; its worker is killed and replaced`;
      log({ level: 'error', pool, worker: seat.workerId, message });
      return this.#giveUp(seat, command);
    }
    call.isOverdue = true;
    call.stop('deadline');
    call.expiresAt = nowMs + options.cancelGraceMs;
    deadlines.watch(call);
    this.tell(call, seat);
  }

  /** The caller gets its error with the stacks of the worker: at once where it cannot tell them, else some milliseconds later. */
  tell(call: PoolCall, { worker }: Seat<PoolCall>): void {
    const error = callTimeout(this.#parts.name, call, call.startedAt ?? call.admittedAt);
    const stacks = worker.dumpStacks();
    if (stacks === undefined) return call.fail(error);
    call.overdueError = error;
    void stacks.then((workerStacks) => {
      call.fail(
        workerStacks === undefined ? error : new SnakepitError('CALL_TIMEOUT', { ...error.details, workerStacks }),
      );
    });
  }

  /**
   * Ends a worker in which a command hangs. The calls beside it are asked back first: a worker that still reads, such as one whose
   * handler blocks only its main thread, tells which of them it has not begun, and those run elsewhere.
   */
  #giveUp({ worker, channel }: Seat<PoolCall>, hung: string): void {
    const inFlight = channel.callsInFlight() as readonly PoolCall[];
    // One whose own deadline has passed, which may still wait for the stacks, is not to run elsewhere.
    const others = inFlight.filter(({ isSettled, isOverdue }) => !isSettled && !isOverdue);
    if (worker.state.kind === 'dead') return;
    if (others.length === 0) return worker.kill('hung');
    worker.drain('hung');
    for (const other of others) {
      other.recalledFor = hung;
      other.stop('caller');
    }
    worker.killAfter(RECALL_MS);
  }
}
