import { SnakepitError } from '../../core/index.js';
import type { Pool } from '../../pool/index.js';
import { CallRecord, type CallPlan } from './call-record.js';
import type { Invariants } from './invariants.js';
import type { Random } from './random.js';
import { COMMANDS } from './scripted-voice.js';
import type { Findings } from './violation.js';
import type { World } from './world.js';

export interface TrafficParts {
  readonly random: Random;
  readonly world: World;
  readonly invariants: Invariants;
  readonly findings: Findings;
  readonly pool: () => Pool;
}

const PADDING = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`p${index}`, 0]));

/** Random callers: what they ask of the pool, and what they hear of it. */
export class Traffic {
  /** All calls that were made; each has its number for index. */
  readonly calls: CallRecord[] = [];
  /** Those of them that are not settled. */
  readonly open = new Set<CallRecord>();
  readonly #parts: TrafficParts;
  readonly #random: Random;

  constructor(parts: TrafficParts) {
    this.#parts = parts;
    this.#random = parts.random;
  }

  someCalls(): void {
    const count = this.#random.chance(0.8) ? this.#random.integer(1, 3) : this.#random.integer(4, 30);
    for (let made = 0; made < count; made += 1) this.call(this.#drawPlan());
  }

  #drawPlan(): CallPlan {
    const random = this.#random;
    const { name: command, kind: declared } = random.pick(COMMANDS);
    return {
      command,
      kind: random.chance(0.03) ? (declared === 'call' ? 'stream' : 'call') : declared,
      timeoutMs: random.chance(0.2) ? random.between(1, 30) : random.between(50, 800),
      priority: random.pick(['high', 'normal', 'normal', 'low']),
      session: random.chance(0.25) ? `s${random.integer(0, 2)}` : undefined,
      idempotent: random.chance(0.4),
    };
  }

  /** Makes one call. */
  call(plan: CallPlan): CallRecord {
    const call = new CallRecord(this.calls.length, plan, this.#parts.world.clock.now());
    this.calls.push(call);
    this.open.add(call);
    this.#parts.world.note(`call ${call.n}: ${JSON.stringify(plan)}`);
    const { queued } = this.#parts.pool().stats();
    if (plan.kind === 'stream') this.#stream(call);
    else this.#execute(call);
    this.#parts.findings.guard(() => this.#parts.invariants.onMade(call, queued));
    return call;
  }

  #execute(call: CallRecord): void {
    const { command, kind: _, ...options } = call.plan;
    const abort = this.#random.chance(0.5) ? new AbortController() : undefined;
    if (abort !== undefined) {
      call.onCancel = () => {
        call.isCancelled = true;
        abort.abort(new Error('scripted'));
      };
    }
    const onProgress = (value: unknown): void => this.#checkOwn(call, value, 'progress');
    const given = { ...options, onProgress, ...(abort && { signal: abort.signal }) };
    this.#parts
      .pool()
      .execute(command, this.#argsOf(call), given)
      .then(
        (value) => {
          this.#checkOwn(call, value, 'result');
          this.#settle(call, undefined);
        },
        (error: unknown) => this.#settle(call, error),
      );
  }

  #stream(call: CallRecord): void {
    const { command, kind: _, ...options } = call.plan;
    const handle = this.#parts.pool().stream(command, this.#argsOf(call), options, {
      onValue: () => this.#parts.findings.fail(`call ${call.n}, a stream, got a value`),
      onChunk: (item) => this.#parts.findings.guard(() => this.#parts.invariants.onItem(call, item)),
      onEnd: () => this.#settle(call, undefined),
      onError: (error) => this.#settle(call, error),
    });
    call.onCancel = () => {
      call.isCancelled = true;
      handle.cancel();
    };
    call.onGrant = (chunks) => handle.grant(chunks);
  }

  /**
   * They are encoded as soon as the call has a worker, and not before: reading `n` tells that it has. The members before it are as many
   * as the estimate of a waiting call's size looks at.
   */
  #argsOf(call: CallRecord): object {
    const onRead = (): void => this.#parts.findings.guard(() => this.#parts.invariants.onPlaced(call));
    return {
      ...PADDING,
      get n() {
        onRead();
        return call.n;
      },
    };
  }

  #checkOwn(call: CallRecord, value: unknown, what: string): void {
    if ((value as { n?: unknown } | null)?.n !== call.n)
      this.#parts.findings.fail(`call ${call.n} got the ${what} of another`);
  }

  /** One of the callers leaves, if it can. */
  cancelOne(): void {
    this.#random.pickOf(this.open)?.onCancel();
  }

  /** One of the consumers allows more items. */
  grantOne(): void {
    const call = this.#random.pickOf(this.open);
    const chunks = this.#random.integer(1, 8);
    if (call !== undefined) this.grant(call, chunks);
  }

  grant(call: CallRecord, chunks: number): void {
    call.granted += chunks;
    call.onGrant(chunks);
  }

  #settle(call: CallRecord, error: unknown): void {
    this.open.delete(call);
    const isKnown = error === undefined || error instanceof SnakepitError;
    if (!isKnown) return this.#parts.findings.fail(`call ${call.n} failed with ${String(error)}`);
    const outcome = {
      code: error?.code,
      delivery: error?.delivery ?? 'ran',
      details: error?.details ?? {},
      atMs: this.#parts.world.clock.now(),
    } as const;
    this.#parts.world.note(`call ${call.n} is settled: ${outcome.code ?? 'ok'}, ${outcome.delivery}`);
    this.#parts.findings.guard(() => this.#parts.invariants.onSettled(call, outcome));
  }
}
