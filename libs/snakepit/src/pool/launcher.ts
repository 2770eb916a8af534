import { loadGrpcLibrary } from '../channel/index.js';
import { SnakepitError, toError, type Clock, type LogLevel, type LogSink, type Timer } from '../core/index.js';
import {
  BridgeProcess,
  describeExit,
  isGrpcBridge,
  RelaunchedProcess,
  SpawnedProcess,
  Worker,
  workerEnvironment,
  Zygote,
  ZygoteDoor,
  type ExitCause,
  type Launch,
  type LaunchOptions,
  type LaunchSpec,
  type WorkerOwner,
  type WorkerProcess,
  type WorkerSpec,
  type ZygoteSpec,
} from '../worker/index.js';
import { Attachments } from './attachments.js';
import { numericThreadsOf } from './autoscaler.js';
import type { ResolvedPoolOptions } from './options.js';
import { RestartPolicy } from './restart-policy.js';

export interface LauncherParts {
  readonly pool: string;
  readonly options: ResolvedPoolOptions;
  readonly instance: string;
  readonly hostEnv: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly spec: WorkerSpec;
  /** Default: spawns, or forks from the zygote. */
  readonly launch?: Launch;
  /** Takes the spans that a worker has recorded, unchecked. */
  readonly onSpans?: (worker: string, spans: unknown) => void;
}

/** How many losses of a zygote cost the next one no delay. */
const FREE_LOSSES = 1;

/**
 * Starts a pool's workers, their processes forked from its zygote where it has one, spawned where it has none, and for as long as a lost one
 * is not replaced.
 */
export class Launcher {
  #spec: WorkerSpec;
  #hasStarted = false;
  #nextNumber = 1;
  readonly #launch: Launch;
  readonly #parts: LauncherParts;
  readonly #restartPolicy: RestartPolicy;
  readonly #zygotes = new Set<Zygote>();
  #current: Zygote | undefined;
  #restart: Timer | undefined;
  #isClosed = false;

  constructor(parts: LauncherParts) {
    this.#spec = privileged(parts);
    this.#parts = parts;
    this.#restartPolicy = new RestartPolicy(parts.options.restart);
    this.#launch = parts.launch ?? launchOf(this.#spec, (options) => this.#start(options, this.#spec as LaunchSpec));
  }

  /** How the next worker is started. */
  get spec(): WorkerSpec {
    return this.#spec;
  }

  /** All that are there, those included that wait for their last workers. */
  get zygotes(): ReadonlySet<Zygote> {
    return this.#zygotes;
  }

  /**
   * Starts the zygote, if there is to be one. Called again, it starts another that imports everything anew, or builds the program
   * anew, for all workers to come.
   *
   * @throws SnakepitError WORKER_START_FAILED; BUILD_FAILED; MISUSE where gRPC is needed and not installed
   */
  async start(): Promise<void> {
    if (this.#hasStarted) await this.#rebuild();
    this.#hasStarted = true;
    const { spec } = this;
    if ('launch' in spec) return;
    if ('addresses' in spec || spec.grpc !== undefined) await loadGrpcLibrary();
    if ('addresses' in spec || spec.zygote === undefined) return;
    if (process.platform !== 'linux') {
      return this.#log('warn', `zygotes need Linux; on ${process.platform} workers are spawned`);
    }
    await this.#startZygote(spec, spec.zygote);
  }

  /** @param size how many workers the pool is to have, who share the machine */
  startWorker(size: number, owner: WorkerOwner): Worker {
    const { pool, options, instance, hostEnv, clock, log, onSpans } = this.#parts;
    const { spec } = this;
    const launch = this.#launch;
    const id = `${pool}-${this.#nextNumber}`;
    this.#nextNumber += 1;
    const { inheritEnv: inherit, env: given } = options;
    const numericThreads = 'launch' in spec ? 0 : numericThreadsOf(options, size);
    const env =
      'addresses' in spec
        ? {}
        : workerEnvironment({ spec, hostEnv, inherit, given, pool, worker: id, instance, numericThreads });
    return new Worker({ id, pool, instance, spec, env, launch, settings: options, clock, log, owner, onSpans });
  }

  /** To be called when the workers are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#restart?.cancel();
    await Promise.all([...this.#zygotes].map((zygote) => zygote.close()));
  }

  async #rebuild(): Promise<void> {
    const spec = this.#spec;
    if (!('rebuild' in spec) || spec.rebuild === undefined) return;
    this.#spec = { ...spec, executable: await spec.rebuild() };
  }

  #start(options: LaunchOptions, spec: LaunchSpec): WorkerProcess {
    if (isGrpcBridge(spec)) return new BridgeProcess({ ...options, spec });
    const zygote = this.#current;
    if (!zygote?.isReady) return new SpawnedProcess({ ...options, spec });
    return new RelaunchedProcess(
      options,
      (given) => zygote.fork(given),
      (given) => this.#start(given, spec),
    );
  }

  async #startZygote(spec: LaunchSpec, zygoteSpec: ZygoteSpec): Promise<void> {
    const { pool, options, clock, log } = this.#parts;
    const door = await ZygoteDoor.open(clock, options.privileges);
    if (this.#isClosed) return door.close();
    const id = `${pool}-zygote`;
    const zygote = new Zygote({
      id,
      pool,
      spec: { ...spec, zygote: zygoteSpec },
      env: workerEnvironment({
        ...this.#parts,
        spec,
        inherit: options.inheritEnv,
        given: options.env,
        worker: id,
        numericThreads: numericThreadsOf(options),
      }),
      door,
      settings: options,
      hasArenas: options.arena.enabled,
      clock,
      log,
      onLost: (lost, cause) => this.#onLost(lost, cause),
    });
    this.#zygotes.add(zygote);
    void zygote.gone.then(() => this.#zygotes.delete(zygote));
    try {
      await zygote.ready;
    } catch (error) {
      if (this.#isClosed) return;
      throw error;
    }
    this.#restart?.cancel();
    this.#current?.retire();
    this.#current = zygote;
  }

  #onLost(lost: Zygote, cause: ExitCause): void {
    if (lost !== this.#current) return;
    this.#current = undefined;
    this.#log('warn', `the zygote ended (${describeExit(cause)}); until it is replaced, workers are spawned`);
    this.#restartLater();
  }

  #restartLater(): void {
    const { clock } = this.#parts;
    const { delayMs } = this.#restartPolicy.onCrash(clock.now(), FREE_LOSSES);
    this.#restart = clock.after(delayMs, () => void this.#startAgain());
  }

  async #startAgain(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      this.#log('error', toError(error).message);
      this.#restartLater();
    }
  }

  #log(level: LogLevel, message: string): void {
    const { pool, log } = this.#parts;
    log({ level, pool, message });
  }
}

/** Attaches to workers that are there, or starts some. */
function launchOf(spec: WorkerSpec, start: (options: LaunchOptions) => WorkerProcess): Launch {
  if ('launch' in spec) return spec.launch;
  if (!('addresses' in spec)) return start;
  const attachments = new Attachments(spec);
  return (options) => attachments.attach(options);
}

/**
 * Workers within the host have its privileges; options that are made for processes hold where fakes stand in for those.
 *
 * @throws SnakepitError INVALID_OPTIONS for privileges of workers that somebody else starts
 */
function privileged({ pool, spec, options: { privileges } }: LauncherParts): WorkerSpec {
  if ('launch' in spec) return spec;
  if (!('addresses' in spec)) return { ...spec, privileges };
  if (Object.values(privileges).every((value) => value === undefined)) return spec;
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'privileges' of pool '${pool}' cannot be given: its workers are attached, and whoever starts them sets what they may do.`,
    option: 'privileges',
  });
}
