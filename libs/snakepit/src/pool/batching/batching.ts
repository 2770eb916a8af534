import { SnakepitError, type Clock, type DeadlineSweep } from '../../core/index.js';
import type { OpenCalls } from '../open-calls.js';
import type { OverdueCalls } from '../overdue-calls.js';
import type { Placement } from '../placement.js';
import type { PoolCall, PoolCallOwner, PoolCallParts } from '../pool-call.js';
import { cancelled } from '../pool-errors.js';
import type { Seat } from '../seat.js';
import type { WaitingRoom } from '../waiting-room.js';
import { BatchOwner } from './batch-owner.js';
import type { BatchLine } from './batch-line.js';
import { Batch, type Calls } from './batch.js';
import { BatchedCall, type Carrier } from './batched-call.js';
import { companyOf } from './companions.js';
import { departureOf } from './departure.js';
import type { Gathering } from './gathering.js';
import { culpritOf, mayBeSplit, refusalOfItem } from './refused-item.js';
import { asksForBatches, takesBatches } from './worker-batches.js';

export interface BatchingParts {
  readonly name: string;
  readonly options: { readonly maxFrameBytes: number };
  readonly clock: Clock;
  readonly deadlines: DeadlineSweep;
  readonly room: WaitingRoom;
  readonly placement: Placement;
  readonly overdue: OverdueCalls;
  readonly open: OpenCalls;
  /** What the pool does for calls that are in no batch. */
  readonly calls: PoolCallOwner;
}

/**
 * Lets calls of one command leave for a worker together. Each stays a call of its own to its caller, in the queue and to the
 * counters; {@link Batch} is what a worker gets.
 */
export class Batching implements PoolCallOwner {
  readonly #parts: BatchingParts;
  readonly #ownerOfBatches: PoolCallOwner;
  /** Lines that calls wait in, or have. */
  readonly #lines = new Set<BatchLine>();
  #isFlushing = false;
  /** Calls in workers' hands beyond the batches that hold them. */
  #passengers = 0;

  constructor(parts: BatchingParts) {
    this.#parts = parts;
    this.#ownerOfBatches = new BatchOwner({
      ...parts,
      onOver: (batch) => this.#onOver(batch),
    });
  }

  /** A call of a command that is batched. */
  create(parts: Omit<PoolCallParts, 'owner'>, line: BatchLine): BatchedCall {
    this.#lines.add(line);
    return new BatchedCall({ ...parts, owner: this }, line);
  }

  /** How many more calls are in workers' hands than those count. */
  get passengers(): number {
    return this.#passengers;
  }

  /** Calls that wait for more to come; those in the queue are not among them. */
  gathered(): BatchedCall[] {
    const calls: BatchedCall[] = [];
    for (const line of this.#lines) {
      for (const { gathered } of line.gatherings()) calls.push(...(gathered as Iterable<BatchedCall>));
    }
    return calls;
  }

  /** Lets a call wait for others, or for a worker. */
  enter(call: BatchedCall, nowMs: number): void {
    this.#parts.room.enter(call, nowMs);
    if (call.isSettled) return;
    if (call.settings.nesting === undefined) this.#depart(call.line, call.gathering, nowMs);
    else this.#parts.room.pumpSoon();
  }

  /** Lets no batch wait for more calls: none will come. */
  flush(): void {
    this.#isFlushing = true;
    const now = this.#parts.clock.now();
    for (const line of this.#lines) for (const gathering of line.gatherings()) this.#depart(line, gathering, now);
  }

  dispose(): void {
    for (const line of this.#lines) for (const gathering of line.gatherings()) gathering.cancelTimer();
  }

  /** Lets those that gather take their place in the queue, if it is time. */
  #depart(line: BatchLine, gathering: Gathering, nowMs: number): void {
    if (gathering.gathered.size === 0) return;
    const departure = departureOf(gathering.state, line.settings, nowMs);
    if (departure.kind === 'now' || this.#isFlushing) {
      this.#parts.room.lineUp(gathering.takeGathered() as BatchedCall[]);
      return;
    }
    const { clock } = this.#parts;
    gathering.timer ??= clock.after(departure.atMs - nowMs, () => {
      gathering.timer = undefined;
      this.#depart(line, gathering, Math.max(clock.now(), departure.atMs));
    });
  }

  // ---- to a worker -----------------------------------------------------------------------------------------------

  /** Gives a worker the call whose turn it is, and others along with it. */
  dispatch(head: BatchedCall, seat: Seat<PoolCall>, nowMs: number): void {
    const { room, options, placement, name } = this.#parts;
    const { line, gathering } = head;
    if (line.isWishOfWorkers && !asksForBatches(seat.channel, line.command)) {
      return void placement.dispatch(head, seat, nowMs);
    }
    if (!takesBatches(seat.channel)) return head.fail(unsupported(head, name, seat));
    const limits = { maxSize: line.settings.maxSize, maxBytes: options.maxFrameBytes };
    const [, ...others] = companyOf(head, gathering.waiting as Set<BatchedCall>, limits);
    for (const call of others) room.takeAlong(call, nowMs);
    this.#send([head, ...others], seat, nowMs);
  }

  /** Sends calls as one batch, or as several where one is refused. */
  #send(calls: Calls, seat: Seat<PoolCall>, nowMs: number): void {
    let left: readonly BatchedCall[] = calls;
    while (isSome(left)) {
      const refusal = this.#trySend(left, seat, nowMs);
      if (refusal === undefined) return;
      left = this.#withoutCause(left, refusal);
    }
  }

  /** Why the worker did not get the batch; undefined when it did. */
  #trySend(calls: Calls, seat: Seat<PoolCall>, nowMs: number): SnakepitError | undefined {
    const { placement, open, name, deadlines } = this.#parts;
    open.enter();
    const batch = new Batch({ pool: name, owner: this.#ownerOfBatches, calls, nowMs });
    if (!placement.dispatch(batch, seat, nowMs)) return batch.crew.refusal;
    batch.crew.board(batch, nowMs);
    batch.origin.running += 1;
    batch.line.onSent(batch.size);
    this.#passengers += batch.size - 1;
    deadlines.watch(batch);
    return undefined;
  }

  /** What may be sent of a batch that was refused, once those are told that were the cause; others get another turn. */
  #withoutCause(calls: Calls, refusal: SnakepitError): readonly BatchedCall[] {
    const culprit = culpritOf(refusal);
    if (culprit !== undefined && culprit < calls.length) {
      this.#fail([calls[culprit]!], refusalOfItem(refusal));
      return calls.toSpliced(culprit, 1);
    }
    if (calls.length === 1 || !mayBeSplit(refusal)) {
      this.#fail(calls, refusal);
      return [];
    }
    const half = Math.ceil(calls.length / 2);
    for (const call of calls.slice(half).toReversed()) {
      this.#parts.deadlines.forget(call);
      this.#parts.room.enterAgain(call);
    }
    return calls.slice(0, half);
  }

  #fail(calls: readonly BatchedCall[], error: SnakepitError): void {
    for (const call of calls) this.#parts.room.refuse(call, error);
  }

  // ---- back from a worker ----------------------------------------------------------------------------------------

  /** Takes the calls off a batch that a worker lost; the batch is over then. */
  disband(batch: Batch): BatchedCall[] {
    const calls = batch.crew.disband();
    for (const call of calls) {
      call.recalledFor = batch.recalledFor;
      this.#parts.deadlines.forget(call);
    }
    batch.isSettled = true;
    this.#parts.open.leave();
    this.#onOver(batch);
    return calls;
  }

  #onOver({ line, origin, size }: Batch): void {
    origin.running -= 1;
    this.#passengers -= size - 1;
    line.tidy(origin);
    this.#depart(line, origin, this.#parts.clock.now());
  }

  // ---- what calls tell -------------------------------------------------------------------------------------------

  onReleased(call: PoolCall, serviceUs: number, hasFailed: boolean): void {
    // Of a batch that is told once, by the batch.
    if (call.seat !== undefined) this.#parts.calls.onReleased(call, serviceUs, hasFailed);
  }

  onSettled(call: BatchedCall, error: SnakepitError | undefined): void {
    const { calls, deadlines } = this.#parts;
    calls.onSettled(call, error);
    if (call.seat === undefined) deadlines.forget(call);
    call.line.tidy(call.gathering);
    const { carrier } = call;
    if (carrier === undefined || carrier.isSettled) return;
    call.carrier = undefined;
    if (carrier.leave()) this.#abandon(carrier, error);
  }

  /** Nobody wants the outcome of a batch any more. */
  #abandon(batch: Carrier, error: SnakepitError | undefined): void {
    const { name, clock, deadlines, overdue } = this.#parts;
    const { seat } = batch;
    if (seat === undefined || batch.isOverdue) return;
    if (error?.code === 'CALL_TIMEOUT') {
      deadlines.forget(batch);
      return overdue.onExpired(batch, seat, clock.now());
    }
    batch.stop('caller');
    batch.fail(cancelled(batch.command, name, undefined, 'may-have-run'));
  }

  onCallExpired(call: BatchedCall, nowMs: number): void {
    const { calls, overdue } = this.#parts;
    const seat = call.carrier?.seat;
    if (seat === undefined) return calls.onCallExpired(call, nowMs);
    call.isOverdue = true;
    overdue.tell(call, seat);
  }

  onCallAborted(call: BatchedCall, reason: unknown): void {
    if (call.carrier === undefined) return this.#parts.calls.onCallAborted(call, reason);
    if (!call.isSettled) call.fail(cancelled(call.command, this.#parts.name, reason, 'may-have-run'));
  }

  onRecalled(call: PoolCall, hasRun: boolean): void {
    this.#parts.calls.onRecalled(call, hasRun);
  }

  /** A call in a worker's hands gets on as its batch does. */
  isStuck(call: BatchedCall, seen: Set<object>): boolean {
    return this.#parts.calls.isStuck(call.carrier ?? call, seen);
  }

  onListenerFailed(call: PoolCall, thrown: unknown): void {
    this.#parts.calls.onListenerFailed(call, thrown);
  }

  toResult(call: PoolCall, value: unknown): unknown {
    return this.#parts.calls.toResult(call, value);
  }
}

function isSome(calls: readonly BatchedCall[]): calls is Calls {
  return calls.length > 0;
}

function unsupported(
  { command }: BatchedCall,
  pool: string,
  { workerId: worker, channel }: Seat<PoolCall>,
): SnakepitError {
  const { protocol } = channel.manifest;
  const reason = `worker '${worker}', which speaks protocol ${protocol}, takes no batches; remove 'batch' or use a bridge that does`;
  return new SnakepitError('UNSUPPORTED', { command, pool, worker, reason });
}
