import { SnakepitError, silentLog } from '../../core/index.js';
import { Pool, type CallOptions } from '../../pool/index.js';
import { CallRecord, type Outcome } from './call-record.js';
import { Invariants, Violation } from './invariants.js';
import { Random } from './random.js';
import { drawWeather } from './script.js';
import { drawOptions, MAX_PROBE_AFTER_MS } from './schedule-options.js';
import { COMMANDS } from './scripted-worker.js';
import { World } from './world.js';

/** Longer than any delay, grace and timeout of the options that are drawn takes together. */
const CALM_MS = 4_000;
const MOST_STEPS = { short: 16, long: 80 };

export interface ScheduleReport {
  readonly steps: number;
  readonly calls: number;
  readonly succeeded: number;
  readonly processes: number;
}

interface PlannedCall {
  readonly command: string;
  readonly kind: 'call' | 'stream';
  readonly options: CallOptions;
  readonly timeoutMs: number;
}

/**
 * One pool's life under random traffic and faults, decided by the seed alone: the real pool, scheduler, supervisor, worker, channel and
 * codec before scripted processes, under a clock that is set by hand.
 */
export class Schedule {
  readonly #random: Random;
  readonly #world: World;
  readonly #invariants: Invariants;
  readonly #pool: Pool;
  readonly #calls: CallRecord[] = [];
  readonly #open = new Set<CallRecord>();
  /** Operations such as restart() that were begun and have not ended. */
  readonly #operations = new Map<number, string>();
  readonly #notes: string[] | undefined;
  #operationNumber = 0;
  #size: number;
  #steps = 0;
  #isClosing = false;
  #isClosed = false;
  #violation: unknown;

  constructor(
    readonly seed: number,
    keepsNotes = false,
  ) {
    this.#notes = keepsNotes ? [] : undefined;
    this.#random = new Random(seed);
    this.#world = new World(this.#random, drawWeather(this.#random), {
      onHanded: (worker, n) => this.#guard(() => this.#invariants.onHanded(worker, this.#calls[n]!)),
      onAnswered: (worker, n) => this.#invariants.onAnswered(worker, this.#calls[n]!),
      onGone: (worker) => this.#invariants.onWorkerGone(worker),
      onNote: (text) => this.#notes?.push(`${this.#world.clock.now().toFixed(2)}  ${text}`),
    });
    const options = drawOptions(this.#random);
    this.#size = options.size;
    const { affinity, maxQueue, window, concurrency, maxAttempts } = options;
    this.#note(JSON.stringify({ affinity, maxQueue, window, concurrency, maxAttempts }));
    this.#invariants = new Invariants(this.#world, options, () => this.#pool);
    this.#pool = new Pool({
      name: 'pool',
      options,
      instance: 'simulated',
      hostEnv: {},
      affinity: {
        lastWorkerOf: (session) => this.#invariants.lastWorkerOf(session),
        rememberWorker: (session, worker) => this.#guard(() => this.#invariants.rememberWorker(session, worker)),
      },
      onHostCall: () => Promise.resolve(null),
      clock: this.#world.clock,
      log: silentLog,
      launch: this.#world.launch,
      random: () => this.#random.next(),
    });
  }

  /** What happened, when notes are kept. */
  get notes(): readonly string[] {
    return this.#notes ?? [];
  }

  /** @throws Violation, and whatever the code under test throws */
  async run(): Promise<ScheduleReport> {
    if (await this.#start()) {
      const steps = this.#random.integer(3, MOST_STEPS[this.#random.chance(0.8) ? 'short' : 'long']);
      for (let step = 0; step < steps && !this.#isClosed; step += 1) await this.#step();
      if (!this.#isClosing) await this.#calmDown();
    }
    await this.#finish();
    const { succeeded } = this.#pool.stats();
    return { steps: this.#steps, calls: this.#calls.length, succeeded, processes: this.#world.launched };
  }

  /** False when no worker became ready, which ends the pool. */
  async #start(): Promise<boolean> {
    const start = { isOver: false, hasWorked: false };
    this.#pool.start().then(
      () => Object.assign(start, { isOver: true, hasWorked: true }),
      () => Object.assign(start, { isOver: true }),
    );
    // Traffic may begin while workers start.
    if (this.#random.chance(0.3)) this.#someCalls();
    await this.#pass(0);
    for (let waited = 0; !start.isOver; waited += 5) {
      if (waited > CALM_MS) throw new Violation('start() does not end');
      await this.#pass(5);
    }
    if (!start.hasWorked) this.#isClosing = this.#isClosed = true;
    return start.hasWorked;
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.5) this.#someCalls();
    else if (dice < 0.62) this.#someOf(this.#open)?.cancel();
    else if (dice < 0.74) this.#someOf(this.#open)?.grant(random.integer(1, 8));
    else if (dice < 0.8) this.#someOf(this.#world.processes)?.end({ kind: 'signal', signal: 'SIGKILL' });
    else if (dice < 0.83) this.#freeze();
    else if (dice < 0.87) this.#someOf(this.#world.processes)?.stopReading(random.between(1, 60));
    else if (dice < 0.91) this.#resize();
    else if (dice < 0.95) this.#restart();
    else if (dice < 0.965) this.#pool.sessionClosed(`s${random.integer(0, 2)}`);
    else if (dice < 0.97) this.#drain();
    else if (dice < 0.975) this.#close();
    const pause = random.next();
    await this.#pass(pause < 0.4 ? 0 : pause < 0.8 ? random.between(0, 5) : random.between(0, 150));
  }

  // ---- traffic ----------------------------------------------------------------------------------------------------

  #someCalls(): void {
    const count = this.#random.chance(0.8) ? this.#random.integer(1, 3) : this.#random.integer(4, 30);
    for (let made = 0; made < count; made += 1) this.#call(this.#drawCall());
  }

  #drawCall(): PlannedCall {
    const random = this.#random;
    const { name: command, kind: declared } = random.pick(COMMANDS);
    const kind = random.chance(0.03) ? (declared === 'call' ? 'stream' : 'call') : declared;
    const timeoutMs = random.chance(0.2) ? random.between(1, 30) : random.between(50, 800);
    const options: CallOptions = {
      timeoutMs,
      priority: random.pick(['high', 'normal', 'normal', 'low']),
      session: random.chance(0.25) ? `s${random.integer(0, 2)}` : undefined,
      idempotent: random.chance(0.4),
    };
    return { command, kind, options, timeoutMs };
  }

  #call({ command, kind, options, timeoutMs }: PlannedCall): CallRecord {
    const now = this.#world.clock.now();
    const n = this.#calls.length;
    const { priority = 'normal', session, idempotent = false } = options;
    const call = new CallRecord(n, command, kind, now, now + timeoutMs, priority, session, idempotent);
    this.#calls.push(call);
    this.#open.add(call);
    this.#invariants.onMade(call);
    this.#note(`call ${n}: ${kind} of ${command}, ${JSON.stringify(options)}`);
    if (kind === 'stream') this.#stream(call, options);
    else this.#execute(call, options);
    return call;
  }

  #execute(call: CallRecord, options: CallOptions): void {
    const abort = this.#random.chance(0.5) ? new AbortController() : undefined;
    call.cancel = () => abort?.abort(new Error('scripted'));
    this.#pool.execute(call.command, { n: call.n }, abort ? { ...options, signal: abort.signal } : options).then(
      (value) => {
        if ((value as { n?: unknown } | null)?.n !== call.n) this.#fail(`call ${call.n} got the result of another`);
        this.#settle(call, undefined);
      },
      (error: unknown) => this.#settle(call, error),
    );
  }

  #stream(call: CallRecord, options: CallOptions): void {
    const handle = this.#pool.stream(call.command, { n: call.n }, options, {
      onValue: () => this.#fail(`call ${call.n}, a stream, got a value`),
      onChunk: () => {
        if (call.isSettled) this.#fail(`call ${call.n} got an item after its end`);
      },
      onEnd: () => this.#settle(call, undefined),
      onError: (error) => this.#settle(call, error),
    });
    call.cancel = () => handle.cancel();
    call.grant = (chunks) => handle.grant(chunks);
  }

  #settle(call: CallRecord, error: unknown): void {
    this.#open.delete(call);
    const isKnown = error === undefined || error instanceof SnakepitError;
    if (!isKnown) return this.#fail(`call ${call.n} failed with ${String(error)}`);
    const outcome = { code: error?.code, delivery: error?.delivery ?? 'ran', atMs: this.#world.clock.now() } as const;
    this.#note(`call ${call.n} is settled: ${outcome.code ?? 'ok'}, ${outcome.delivery}`);
    this.#guard(() => this.#invariants.onSettled(call, outcome));
  }

  // ---- operations -------------------------------------------------------------------------------------------------

  #freeze(): void {
    const process = this.#someOf(this.#world.processes);
    if (process === undefined) return;
    process.isFrozen = true;
    this.#note(`${process.id} is frozen`);
  }

  #resize(): void {
    if (this.#isClosing) return;
    this.#size = this.#random.integer(1, 5);
    this.#note(`resize to ${this.#size}`);
    this.#pool.resize(this.#size);
  }

  #restart(): void {
    if (this.#isClosing) return;
    const worker = this.#random.chance(0.5) ? this.#someOf(this.#pool.workers())?.id : undefined;
    this.#operate(`restart(${worker ?? ''})`, this.#pool.restart(worker));
  }

  #drain(): void {
    this.#isClosing = true;
    this.#operate('drain()', this.#pool.drain());
  }

  #close(): void {
    this.#isClosing = true;
    const closing = this.#pool.close().then(() => {
      this.#isClosed = true;
    });
    this.#operate('close()', closing);
  }

  #operate(name: string, operation: Promise<void>): void {
    const number = (this.#operationNumber += 1);
    this.#operations.set(number, name);
    this.#note(`${name} begins`);
    const end = (how: string): void => {
      this.#operations.delete(number);
      this.#note(`${name} ${how}`);
    };
    operation.then(
      () => end('is through'),
      (error: unknown) => {
        end(`failed: ${String(error)}`);
        if (!(error instanceof SnakepitError)) this.#fail(`${name} failed with ${String(error)}`);
      },
    );
  }

  // ---- endings ----------------------------------------------------------------------------------------------------

  /** The weather clears up: all that was begun must come to its end, and the pool be whole again. */
  async #calmDown(): Promise<void> {
    this.#note('calm');
    this.#world.clearUp();
    for (let passed = 0; passed < CALM_MS && !this.#isWhole(); passed += 25) await this.#pass(25);
    const { size, workers, inFlight, queued, status } = this.#pool.stats();
    const left = [...this.#operations.values()].join(', ');
    if (!this.#isWhole()) {
      const facts = {
        wanted: this.#size,
        size,
        workers,
        inFlight,
        queued,
        status,
        left,
        open: this.#open.size,
        each: this.#pool.workers(),
      };
      throw new Violation(`the pool does not become whole again: ${JSON.stringify(facts)}`);
    }
    for (const { name: command, kind } of COMMANDS) await this.#probe(command, kind);
  }

  #isWhole(): boolean {
    const { workers, inFlight, queued, status } = this.#pool.stats();
    if (this.#operations.size > 0 || this.#open.size > 0 || inFlight > 0 || queued > 0) return false;
    const isHealthy = [...this.#world.processes].every((each) => !each.isGone && !each.isFrozen && each.hasRoom);
    return status === 'up' && workers === this.#size && this.#world.processes.size === this.#size && isHealthy;
  }

  /** A call of a pool that is whole must succeed; at the second try, if its command has killed workers. */
  async #probe(command: string, kind: 'call' | 'stream'): Promise<void> {
    let outcome = await this.#outcomeOf(command, kind);
    if (outcome?.code === 'COMMAND_TAINTED') {
      await this.#pass(MAX_PROBE_AFTER_MS);
      outcome = await this.#outcomeOf(command, kind);
    }
    if (outcome?.code !== undefined) throw new Violation(`a ${command} in a whole pool ended with ${outcome.code}`);
  }

  async #outcomeOf(command: string, kind: 'call' | 'stream'): Promise<Outcome | undefined> {
    const call = this.#call({ command, kind, options: { timeoutMs: 2_000 }, timeoutMs: 2_000 });
    for (let passed = 0; !call.isSettled && passed < 2_100; passed += 10) {
      call.grant(16);
      await this.#pass(10);
    }
    return call.outcomes[0];
  }

  /** Closes the pool: nothing may be left of it. */
  async #finish(): Promise<void> {
    if (!this.#isClosed) this.#close();
    for (let passed = 0; passed < CALM_MS && this.#operations.size > 0; passed += 25) await this.#pass(25);
    const left = [...this.#operations.values()];
    if (left.length > 0) throw new Violation(`${left.join(', ')} does not end`);
    const { processes, clock } = this.#world;
    if (processes.size > 0) throw new Violation(`${processes.size} processes are left after close()`);
    if (clock.timers > 0) throw new Violation(`${clock.timers} timers are left after close()`);
    this.#invariants.checkAll(this.#calls);
  }

  // ---- time -------------------------------------------------------------------------------------------------------

  /** Lets time pass timer by timer, and everything that follows from each of them happen before the next. */
  async #pass(ms: number): Promise<void> {
    this.#steps += 1;
    const { clock } = this.#world;
    const end = clock.now() + ms;
    await settled();
    while (clock.nextDueAt <= end) {
      clock.advance(Math.max(0, clock.nextDueAt - clock.now()));
      await settled();
      if (this.#violation !== undefined) throw this.#violation;
    }
    clock.advance(end - clock.now());
    if (this.#violation !== undefined) throw this.#violation;
    this.#invariants.check(this.#open);
  }

  /** Keeps the first violation, for those found where throwing would disturb the code under test. */
  #guard(check: () => void): void {
    try {
      check();
    } catch (violation) {
      this.#violation ??= violation;
    }
  }

  #fail(message: string): void {
    this.#violation ??= new Violation(message);
  }

  #note(text: string): void {
    this.#world.note(text);
  }

  #someOf<Item>(items: Iterable<Item>): Item | undefined {
    const list = [...items];
    return list.length === 0 ? undefined : this.#random.pick(list);
  }
}

/** Resolves when all ticks and promises of this moment are through. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
