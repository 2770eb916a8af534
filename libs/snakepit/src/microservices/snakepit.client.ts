import { Logger, type FactoryProvider, type InjectionToken, type OnApplicationShutdown } from '@nestjs/common';
import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { Observable, Subscription } from 'rxjs';

import { resolveOptions } from '../core/index.js';
import { ATTACH, type SnakepitConsumer } from '../nest/consumers.js';
import { Snakepit, SnakepitError, type PoolService } from '../runtime/index.js';
import { clientOptionTable, type ResolvedClientOptions, type SnakepitClientOptions } from './client.options.js';
import { packetCallOf, type PacketCall } from './packet-call.js';
import { PoolWatch, TransportListeners, type SnakepitStatus, type SnakepitTransportEvents } from './pool-watch.js';

type Reply = (packet: WritePacket) => void;

/**
 * Nest's `ClientProxy` to a pool: `send(command, args)` runs a command and emits its result, or all items of a stream; unsubscribing cancels it in
 * the worker. `emit(command, args)` starts it and completes as soon as the pool has taken it; what comes of it is logged if it fails.
 * Errors are `SnakepitError`. Which commands are streams is told by the workers, or by the option `streams`.
 *
 * @example
 * ClientsModule.register([{ name: 'ML', customClass: SnakepitClient, options: { pool: 'ml' } }])
 * @throws SnakepitError INVALID_OPTIONS
 */
export class SnakepitClient
  extends ClientProxy<SnakepitTransportEvents>
  implements SnakepitConsumer, OnApplicationShutdown
{
  readonly #options: ResolvedClientOptions;
  readonly #listeners = new TransportListeners();
  readonly #logger = new Logger(SnakepitClient.name);
  #snakepit: Snakepit | undefined;
  #watch: PoolWatch | undefined;

  constructor(options: SnakepitClientOptions = {}) {
    super();
    this.#options = resolveOptions(clientOptionTable, options, 'SnakepitClient');
    if (this.#options.snakepit !== undefined) this.#use(this.#options.snakepit);
  }

  /** @internal The module of the pools calls it for every client among the application's providers. */
  [ATTACH](snakepit: Snakepit): void {
    if (this.#options.snakepit !== undefined || this.#snakepit === snakepit) return;
    if (this.#watch !== undefined) {
      throw misuse(`finds several SnakepitModules; say which by 'snakepit': ${WITH_SNAKEPIT}`);
    }
    this.#use(snakepit);
  }

  /** What the pool is like, at first and whenever that changes. */
  override get status(): Observable<SnakepitStatus> {
    // `ClientsModule` takes no class whose states are of a narrower type than string.
    return super.status as Observable<SnakepitStatus>;
  }

  /** Nothing has to be established; it watches the pool again after `close`. @throws SnakepitError MISUSE without pools */
  connect(): Promise<void> {
    this.#observe();
    return Promise.resolve();
  }

  /** Ends nothing but its own watch over the pool, which belongs to the application. */
  close(): void {
    if (this.#watch === undefined) return;
    this.#watch.close();
    this.#watch = undefined;
    this.#onStatus('disconnected');
  }

  onApplicationShutdown(): void {
    this.close();
  }

  /** Hears of a `status` that changes, or of a `worker` that changes its state. */
  override on<Event extends keyof SnakepitTransportEvents>(
    event: Event,
    listener: SnakepitTransportEvents[Event],
  ): void {
    this.#listeners.add(event, listener);
  }

  /** The pool. @throws SnakepitError MISUSE before the application has initialized */
  unwrap<T = PoolService>(): T {
    return this.#pool as T;
  }

  protected publish(packet: ReadPacket, reply: Reply): () => void {
    try {
      const call = packetCallOf(packet, this.#options);
      return this.#isStream(call.command) ? this.#stream(call, reply) : this.#call(call, reply);
    } catch (err) {
      reply({ err });
      return () => {};
    }
  }

  /** Resolves when the pool has taken the call; rejects where it refused it. */
  protected async dispatchEvent<T = void>(packet: ReadPacket): Promise<T> {
    const call = packetCallOf(packet, this.#options);
    const outcome = this.#run(call);
    outcome.catch((error: unknown) =>
      this.#logger.error(`'${call.command}', which was emitted, failed: ${String(error)}`),
    );
    // A call that is refused, is so before the turn ends.
    await Promise.race([outcome, new Promise((resolve) => setImmediate(resolve))]);
    return undefined as T;
  }

  #run({ command, args, options }: PacketCall): Promise<unknown> {
    if (!this.#isStream(command)) return this.#pool.execute(command, args, options);
    const items = this.#pool.stream(command, args, options);
    return new Promise((resolve, reject) => {
      items.subscribe({ complete: () => resolve(undefined), error: reject });
    });
  }

  #call({ command, args, options }: PacketCall, reply: Reply): () => void {
    const leaving = new AbortController();
    const { signal: given } = options;
    const signal = given === undefined || given === null ? leaving.signal : AbortSignal.any([given, leaving.signal]);
    this.#pool.execute(command, args, { ...options, signal }).then(
      (response) => reply({ response, isDisposed: true }),
      (err: unknown) => reply({ err }),
    );
    return () => leaving.abort();
  }

  #stream({ command, args, options }: PacketCall, reply: Reply): () => void {
    const subscription: Subscription = this.#pool.stream(command, args, options).subscribe({
      next: (response) => reply({ response }),
      error: (err: unknown) => reply({ err }),
      complete: () => reply({ isDisposed: true }),
    });
    return () => subscription.unsubscribe();
  }

  #isStream(command: string): boolean {
    const { commands } = this.#pool;
    if (commands === undefined) return this.#options.streams.includes(command);
    return commands.some(({ name, kind }) => name === command && kind === 'stream');
  }

  get #pool(): PoolService {
    if (this.#snakepit === undefined) {
      throw misuse(
        `has no pools: it is used before the application has initialized, or Nest does not find it among the providers; ` +
          `wait for onModuleInit, or name the pools by 'snakepit': ${WITH_SNAKEPIT}`,
      );
    }
    return this.#snakepit.pool(this.#options.pool);
  }

  #use(snakepit: Snakepit): void {
    this.#snakepit = snakepit;
    this.#observe();
  }

  #observe(): void {
    const pool = this.#pool;
    this.#watch ??= new PoolWatch({
      snakepit: this.#snakepit as Snakepit,
      pools: [pool.name],
      onStatus: (status) => this.#onStatus(status),
      onWorker: (change) => this.#listeners.onWorker(change),
    });
  }

  #onStatus(status: SnakepitStatus): void {
    this._status$.next(status);
    this.#listeners.onStatus(status);
  }
}

/** Provides a client under a token, without `ClientsModule`. */
export function provideSnakepitClient(
  provide: InjectionToken,
  options: Omit<SnakepitClientOptions, 'snakepit'> = {},
): FactoryProvider<SnakepitClient> {
  return {
    provide,
    useFactory: (snakepit: Snakepit) => new SnakepitClient({ ...options, snakepit }),
    inject: [Snakepit],
  };
}

const WITH_SNAKEPIT =
  '{ inject: [Snakepit], useFactory: (snakepit) => ({ customClass: SnakepitClient, options: { snakepit } }) }';

function misuse(what: string): SnakepitError {
  return new SnakepitError('MISUSE', { reason: `SnakepitClient ${what}.` });
}
