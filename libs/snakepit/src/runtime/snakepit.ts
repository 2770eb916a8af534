import { randomBytes } from 'node:crypto';

import { silentLog, SnakepitError, systemClock, type CallMeters, type Clock, type LogSink } from '../core/index.js';
import { Pool } from '../pool/index.js';
import { SessionHostCalls, SessionService } from '../session/index.js';
import { orphanGuard } from '../worker/index.js';
import { guardExit } from './exit-guard.js';
import { HostMethods } from './host-methods.js';
import { InputHostCalls } from './input-host-calls.js';
import { Messages } from './messages.js';
import { DEFAULT_POOL, resolveSnakepitOptions, type ResolvedSnakepitOptions, type SnakepitOptions } from './options.js';
import { PoolService } from './pool-service.js';
import { ObjectLedger, PythonService } from './python/index.js';
import { Surroundings } from './surroundings.js';
import { Tools, type Tool } from './tools/index.js';

/** What the library takes from its surroundings; everything has a default. */
export interface SnakepitContext {
  readonly log?: LogSink;
  readonly clock?: Clock;
  /** Where the allow-listed environment variables of workers come from. */
  readonly hostEnv?: NodeJS.ProcessEnv;
  /** Functions that workers may call, by name; {@link Tools.register} adds more. */
  readonly tools?: Readonly<Record<string, Tool>>;
}

/** All pools and sessions of one application: the composition root, which knows nothing of Nest. */
export class Snakepit {
  readonly options: ResolvedSnakepitOptions;
  readonly sessions: SessionService;
  /** Functions of the host that workers may call. */
  readonly tools: Tools;
  /** @internal What calls take from where they are made. */
  readonly surroundings: Surroundings;
  /** @internal Answers what workers ask, for whoever has answers to give. */
  readonly hostMethods: HostMethods;
  /** @internal What workers ask by `ctx.send`. */
  readonly messages = new Messages();
  /** Tells it from others of this process, in events. */
  readonly instance = randomBytes(12).toString('hex');
  /** @internal Where messages of what is built upon the pools go. */
  readonly log: LogSink;
  readonly #pools: ReadonlyMap<string, Pool>;
  /** What sessions have stored, by pool. */
  readonly #ledgers = new Map<string, ObjectLedger>();
  readonly #unguard: () => void;
  readonly #unlisten: () => void;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(given: SnakepitOptions, context: SnakepitContext = {}) {
    const { log = silentLog, clock = systemClock, hostEnv = process.env } = context;
    const options = resolveSnakepitOptions(given, hostEnv);
    this.options = options;
    this.log = log;
    this.sessions = new SessionService(options.sessions, { clock, log });
    const hostCalls = new SessionHostCalls(this.sessions, options.sessions);
    const surroundings = (this.surroundings = new Surroundings(options.context));
    this.hostMethods = new HostMethods(surroundings.answer.bind(surroundings));
    this.hostMethods.register(
      'session',
      ({ method, args, call }) => hostCalls.answer(method, args, call?.meta?.session),
      { isOwn: true },
    );
    this.tools = new Tools({ pools: options.pools, clock, log });
    for (const [name, tool] of Object.entries(context.tools ?? {})) this.tools.register(name, tool);
    this.hostMethods.register('tool', (request) => this.tools.answer(request), {
      subjectOf: ({ args }) => this.tools.nameOf(args),
    });
    this.hostMethods.register('message', (request) => this.messages.answer(request));
    const inputs = new InputHostCalls((pool) => options.pools[pool]!.maxFrameBytes);
    this.hostMethods.register('input', (request) => inputs.answer(request), { isOwn: true });
    const { instance } = this;
    this.#pools = new Map(
      Object.entries(options.pools).map(([name, poolOptions]) => {
        const onHostCall = this.hostMethods.answer.bind(this.hostMethods);
        const onSpans = surroundings.onSpans.bind(surroundings, name);
        const shared = { instance, hostEnv, affinity: this.sessions, surroundings, clock, log };
        return [name, new Pool({ ...shared, name, options: poolOptions, onHostCall, onSpans })];
      }),
    );
    this.#unlisten = this.sessions.onClosed((session) => {
      for (const pool of this.#pools.values()) pool.sessionClosed(session);
      for (const ledger of this.#ledgers.values()) ledger.forget(session);
    });
    this.#unguard = guardExit(() => [...this.#pools.values()].flatMap((pool) => pool.stats().pids));
  }

  get poolNames(): readonly string[] {
    return [...this.#pools.keys()];
  }

  /**
   * The service of a pool; without a name, of the one named `default`, or of the only one. Where there is neither, the
   * calls of that service have to name their pool.
   *
   * @throws SnakepitError POOL_NOT_FOUND
   */
  pool(name?: string): PoolService {
    if (name !== undefined) this.#find(name);
    return new PoolService(name ?? this.defaultPoolName, (wanted) => this.#find(wanted));
  }

  /**
   * Calls of libraries in the workers of a pool, see `python({ enhanced })`; names are as for {@link Snakepit.pool}.
   *
   * @throws SnakepitError POOL_NOT_FOUND
   */
  python(name?: string): PythonService {
    const pool = this.pool(name);
    const ledger = this.#ledgers.get(pool.name) ?? new ObjectLedger();
    this.#ledgers.set(pool.name, ledger);
    const hasStrictAffinity = this.options.pools[pool.name]?.affinity !== 'hint';
    return new PythonService({ pool, sessions: this.sessions, ledger, hasStrictAffinity });
  }

  get defaultPoolName(): string {
    const [first, ...others] = this.#pools.keys();
    return first !== undefined && others.length === 0 ? first : DEFAULT_POOL;
  }

  /**
   * Lets every call of all pools be counted, or none any more.
   *
   * @internal For `nestjs-snakepit/core/metrics`.
   */
  meter(meters: CallMeters | undefined): void {
    for (const pool of this.#pools.values()) pool.meter(meters);
  }

  /**
   * Starts all pools side by side.
   *
   * @throws SnakepitError of the first pool that cannot start; all others are closed then.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const starting = [...this.#pools.values()].map((pool) => pool.start());
    // While the pools look for their interpreters, so that it delays no worker.
    if (this.#closing === undefined && this.#hasProcesses) orphanGuard.open(this.instance, this.log);
    const outcomes = await Promise.allSettled(starting);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed === undefined) return;
    await this.close();
    throw failed.reason;
  }

  /** Takes no more calls and returns when those admitted are through, or after each pool's `drainTimeoutMs`. */
  async drain(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.drain()));
  }

  /** @internal Waits until no pool has calls, for each pool's `drainTimeoutMs` at most; goes on taking calls. */
  async idle(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.idle()));
  }

  /** Drains and ends everything: no process, timer or listener is left. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // What one pool's calls wait for may be calls of another, which must not close before.
    if (this.tools.names.length > 0) await this.drain();
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
    this.#unlisten();
    await this.sessions.close();
    await orphanGuard.close(this.instance);
    this.#unguard();
  }

  get #hasProcesses(): boolean {
    return [...this.#pools.values()].some(({ options }) => options.adapter.inProcess !== true);
  }

  #find(name: string): Pool {
    const pool = this.#pools.get(name);
    if (pool === undefined) throw new SnakepitError('POOL_NOT_FOUND', { pool: name, known: this.poolNames.join(', ') });
    return pool;
  }
}

/** Makes and starts pools without Nest. @throws SnakepitError when a pool cannot start. */
export async function createSnakepit(options: SnakepitOptions, context?: SnakepitContext): Promise<Snakepit> {
  const snakepit = new Snakepit(options, context);
  await snakepit.start();
  return snakepit;
}
