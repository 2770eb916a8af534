import { SnakepitError, silentLog } from '../../core/index.js';
import { Pool } from '../../pool/index.js';
import type { ResolvedPoolOptions } from '../../pool/options.js';
import type { Outcome } from './call-record.js';
import { CrewWatch } from './crew-watch.js';
import { Invariants } from './invariants.js';
import { Random } from './random.js';
import { drawWeather } from './script.js';
import { drawOptions, MAX_PROBE_AFTER_MS } from './schedule-options.js';
import { COMMANDS } from './scripted-voice.js';
import { Traffic } from './traffic.js';
import { Findings, Violation } from './violation.js';
import { World } from './world.js';

/** Longer than any delay, grace and timeout of the options that are drawn takes together. */
const CALM_MS = 6_000;
const MOST_STEPS = { short: 16, long: 80 };

export interface ScheduleReport {
  readonly steps: number;
  readonly calls: number;
  readonly succeeded: number;
  readonly processes: number;
}

/**
 * One pool's life under random traffic and faults, decided by the seed alone: the real pool, scheduler, supervisor, worker, channel and
 * codec before scripted processes, under a clock that is set by hand.
 */
export class Schedule {
  readonly #random: Random;
  readonly #world: World;
  readonly #invariants: Invariants;
  readonly #crew: CrewWatch;
  readonly #pool: Pool;
  readonly #traffic: Traffic;
  readonly #findings = new Findings();
  /** Operations such as restart() that were begun and have not ended. */
  readonly #operations = new Map<number, string>();
  readonly #notes: string[] | undefined;
  #operationNumber = 0;
  /** What workers have asked for and were not yet told. */
  #answersDue = 0;
  /** Operations among those that replace one worker. */
  #restarts = 0;
  /** How many workers there are to be; undefined where load decides. */
  #size: number | undefined;
  /** How many a pool that scales itself has when there is nothing to do. */
  readonly #restSize: number | undefined;
  #steps = 0;
  #isStarting = true;
  #isClosing = false;
  #isClosed = false;

  constructor(
    readonly seed: number,
    keepsNotes = false,
  ) {
    this.#notes = keepsNotes ? [] : undefined;
    this.#random = Random.of(seed, 'traffic');
    this.#world = new World(Random.of(seed, 'world'), drawWeather(Random.of(seed, 'weather')), {
      onHanded: (worker, n) => this.#findings.guard(() => this.#invariants.onHanded(worker, this.#traffic.calls[n]!)),
      onAskedToStop: (worker, n) => this.#traffic.calls[n]!.askedToStop.add(worker),
      onAnswered: (worker, n) => this.#invariants.onAnswered(worker, this.#traffic.calls[n]!),
      onGone: (worker) => this.#invariants.onWorkerGone(worker),
      onNote: (text) => this.#notes?.push(`${this.#world.clock.now().toFixed(2)}  ${text}`),
    });
    const options = drawOptions(seed);
    this.#size = options.size;
    this.#restSize = options.autoscale === false ? undefined : options.autoscale.min;
    this.#note(describe(options));
    // A pool that fails to start closes by itself.
    const isClosing = (): boolean => this.#isClosing || this.#isStarting;
    this.#invariants = new Invariants(this.#world, options, () => this.#pool, isClosing);
    this.#crew = new CrewWatch('pool', options);
    this.#traffic = new Traffic({
      random: this.#random,
      world: this.#world,
      invariants: this.#invariants,
      findings: this.#findings,
      pool: () => this.#pool,
    });
    const retries = Random.of(seed, 'retries');
    this.#pool = new Pool({
      name: 'pool',
      options,
      instance: 'simulated',
      hostEnv: {},
      affinity: {
        lastWorkerOf: (session) => this.#invariants.lastWorkerOf(session),
        rememberWorker: (session, worker) =>
          this.#findings.guard(() => this.#invariants.rememberWorker(session, worker)),
      },
      onHostCall: () => this.#answerWorker(),
      clock: this.#world.clock,
      log: silentLog,
      launch: this.#world.launch,
      random: () => retries.next(),
    });
  }

  /** What happened, when notes are kept. */
  get notes(): readonly string[] {
    return this.#notes ?? [];
  }

  /** @throws Violation, and whatever the code under test throws */
  async run(): Promise<ScheduleReport> {
    try {
      return await this.#live();
    } finally {
      this.#crew.stop();
    }
  }

  async #live(): Promise<ScheduleReport> {
    if (await this.#start()) {
      const steps = this.#random.integer(3, MOST_STEPS[this.#random.chance(0.8) ? 'short' : 'long']);
      for (let step = 0; step < steps && !this.#isClosed; step += 1) await this.#step();
      if (!this.#isClosing) await this.#calmDown();
    }
    await this.#finish();
    const { succeeded } = this.#pool.stats();
    return { steps: this.#steps, calls: this.#traffic.calls.length, succeeded, processes: this.#world.launched };
  }

  /** False when no worker became ready, which ends the pool. */
  async #start(): Promise<boolean> {
    const start = { isOver: false, hasWorked: false };
    this.#pool.start().then(
      () => Object.assign(start, { isOver: true, hasWorked: true }),
      () => Object.assign(start, { isOver: true }),
    );
    // Traffic may begin while workers start.
    if (this.#random.chance(0.3)) this.#traffic.someCalls();
    await this.#pass(0);
    for (let waited = 0; !start.isOver; waited += 5) {
      if (waited > CALM_MS) throw new Violation('start() does not end');
      await this.#pass(5);
    }
    this.#isStarting = false;
    if (!start.hasWorked) this.#isClosing = this.#isClosed = true;
    return start.hasWorked;
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const dice = random.next();
    if (dice < 0.5) this.#traffic.someCalls();
    else if (dice < 0.62) this.#traffic.cancelOne();
    else if (dice < 0.74) this.#traffic.grantOne();
    else if (dice < 0.8) this.#random.pickOf(this.#world.processes)?.end({ kind: 'signal', signal: 'SIGKILL' });
    else if (dice < 0.83) this.#freeze();
    else if (dice < 0.87) this.#random.pickOf(this.#world.processes)?.stopReading(random.between(1, 60));
    else if (dice < 0.91) this.#resize();
    else if (dice < 0.95) this.#restart();
    else if (dice < 0.965) this.#pool.sessionClosed(`s${random.integer(0, 2)}`);
    else if (dice < 0.97) this.#drain();
    else if (dice < 0.975) this.#close();
    const pause = random.next();
    await this.#pass(pause < 0.4 ? 0 : pause < 0.8 ? random.between(0, 5) : random.between(0, 150));
  }

  /** Answers what a worker asks. Takes its time; an error is an answer too. */
  #answerWorker(): Promise<unknown> {
    const { random, clock } = this.#world;
    const isRefused = random.chance(0.2);
    return new Promise((resolve, reject) => {
      this.#answersDue += 1;
      clock.after(random.between(0, 3), () => {
        this.#answersDue -= 1;
        if (isRefused) reject(new Error('scripted'));
        else resolve(null);
      });
    });
  }

  // ---- operations -------------------------------------------------------------------------------------------------

  #freeze(): void {
    const process = this.#random.pickOf(this.#world.processes);
    if (process === undefined) return;
    process.isFrozen = true;
    this.#note(`${process.id} is frozen`);
  }

  #resize(): void {
    if (this.#isClosing || this.#size === undefined) return;
    this.#size = this.#random.integer(1, 5);
    this.#note(`resize to ${this.#size}`);
    this.#pool.resize(this.#size);
  }

  #restart(): void {
    if (this.#isClosing) return;
    const worker = this.#random.chance(0.5) ? this.#random.pickOf(this.#pool.workers())?.id : undefined;
    if (worker !== undefined) this.#restarts += 1;
    this.#operate(`restart(${worker ?? ''})`, this.#pool.restart(worker), () => {
      if (worker !== undefined) this.#restarts -= 1;
    });
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

  #operate(name: string, operation: Promise<void>, onEnd = (): void => {}): void {
    const number = (this.#operationNumber += 1);
    this.#operations.set(number, name);
    this.#note(`${name} begins`);
    const end = (how: string): void => {
      this.#operations.delete(number);
      onEnd();
      this.#note(`${name} ${how}`);
    };
    operation.then(
      () => end('is through'),
      (error: unknown) => {
        end(`failed: ${String(error)}`);
        if (!(error instanceof SnakepitError)) this.#findings.fail(`${name} failed with ${String(error)}`);
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
        wanted: this.#size ?? this.#restSize,
        size,
        workers,
        inFlight,
        queued,
        status,
        left,
        open: this.#traffic.open.size,
        each: this.#pool.workers(),
      };
      throw new Violation(`the pool does not become whole again: ${JSON.stringify(facts)}`);
    }
    for (const { name: command, kind } of COMMANDS) await this.#probe(command, kind);
  }

  #isWhole(): boolean {
    const { workers, inFlight, queued, status } = this.#pool.stats();
    if (this.#operations.size > 0 || this.#traffic.open.size > 0 || inFlight > 0 || queued > 0) return false;
    const isHealthy = [...this.#world.processes].every((each) => !each.isGone && !each.isFrozen && each.hasRoom);
    const wanted = this.#size ?? this.#restSize;
    return status === 'up' && workers === wanted && this.#world.processes.size === wanted && isHealthy;
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
    const call = this.#traffic.call({
      command,
      kind,
      timeoutMs: 2_000,
      priority: 'normal',
      session: undefined,
      idempotent: false,
    });
    for (let passed = 0; !call.isSettled && passed < 2_100; passed += 10) {
      this.#traffic.grant(call, 16);
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
    const timers = clock.timers - this.#answersDue;
    if (timers > 0) throw new Violation(`${timers} timers are left after close()`);
    this.#invariants.checkAll(this.#traffic.calls);
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
      this.#findings.throwFirst();
    }
    clock.advance(end - clock.now());
    this.#findings.throwFirst();
    this.#invariants.check(this.#traffic.open);
    if (this.#isClosing) return;
    this.#crew.check(this.#pool.stats(), this.#pool.workers(), this.#world.processes, this.#restarts);
  }

  #note(text: string): void {
    this.#world.note(text);
  }
}

function describe({
  affinity,
  maxQueue,
  window,
  concurrency,
  maxAttempts,
  autoscale,
  recycle,
}: ResolvedPoolOptions): string {
  return JSON.stringify({ affinity, maxQueue, window, concurrency, maxAttempts, autoscale, recycle });
}

/** Resolves when all ticks and promises of this moment are through. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
