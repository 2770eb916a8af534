import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { EMPTY, fromEvent, lastValueFrom, takeUntil, type Observable } from 'rxjs';

import { HostCallFailure } from '../channel/index.js';
import { describeValue, resolveOptions } from '../core/index.js';
import { Snakepit, SnakepitError, subscribe, type EventPayloads } from '../runtime/index.js';
import type { Message } from '../runtime/messages.js';
import { messageFailureOf } from './message-failure.js';
import { PoolWatch, TransportListeners, type SnakepitStatus, type SnakepitTransportEvents } from './pool-watch.js';
import { serverOptionTable, type SnakepitServerOptions } from './server.options.js';
import { SnakepitContext } from './snakepit.context.js';
import { SNAKEPIT_TRANSPORT } from './transport.js';

/** How many patterns an error lists. */
const MAX_LISTED = 20;

type WorkerEvent = EventPayloads['snakepit:worker-event'];

/**
 * Nest's transport from workers to controllers: a worker's `ctx.send(pattern, data)` is answered by the handler of
 * `@MessagePattern(pattern)`, and its `ctx.emit(pattern, data)` is heard by those of `@EventPattern(pattern)`. Guards, pipes, interceptors and
 * filters apply as in any microservice; `@Ctx()` is a {@link SnakepitContext}. Of an Observable the worker gets the last value, or null where it
 * has none.
 *
 * @example
 * app.connectMicroservice({ strategy: new SnakepitServer(app.get(Snakepit)) });
 * await app.startAllMicroservices();
 * @throws SnakepitError MISUSE without the `Snakepit` of the application, INVALID_OPTIONS, POOL_NOT_FOUND
 */
export class SnakepitServer extends Server<SnakepitTransportEvents, SnakepitStatus> implements CustomTransportStrategy {
  override readonly transportId = SNAKEPIT_TRANSPORT;
  readonly #snakepit: Snakepit;
  readonly #pools: readonly string[];
  readonly #listeners = new TransportListeners();
  #leave: (() => void) | undefined;

  constructor(snakepit: Snakepit, options: SnakepitServerOptions = {}) {
    super();
    if (!(snakepit instanceof Snakepit)) {
      const remedy = 'it takes the Snakepit of the application: new SnakepitServer(app.get(Snakepit))';
      throw new SnakepitError('MISUSE', { reason: `SnakepitServer got ${describeValue(snakepit)}; ${remedy}.` });
    }
    this.#snakepit = snakepit;
    this.#pools = resolveOptions(serverOptionTable, options, 'SnakepitServer').pools ?? snakepit.poolNames;
    for (const name of this.#pools) snakepit.pool(name);
  }

  /** Answers from now on; Nest calls it. @throws SnakepitError MISUSE, to the callback, where another server answers these pools */
  listen(callback: (error?: unknown) => void): void {
    try {
      const stopAnswering = this.#snakepit.messages.serve((message) => this.#answer(message));
      const stopHearing = subscribe('snakepit:worker-event', (event) => this.#hear(event));
      const watch = this.#watch();
      this.#leave = () => {
        stopAnswering();
        stopHearing();
        watch.close();
      };
    } catch (error) {
      return callback(error);
    }
    callback();
  }

  /** Goes on answering until the pools have no calls, for `drainTimeoutMs` at most; then workers are told that nobody answers. */
  async close(): Promise<void> {
    const leave = this.#leave;
    if (leave === undefined) return;
    this.#leave = undefined;
    await this.#snakepit.idle();
    leave();
    this.#onStatus('disconnected');
  }

  /** Hears of a `status` that changes, or of a `worker` that changes its state. */
  on<Event extends keyof SnakepitTransportEvents>(event: Event, listener: SnakepitTransportEvents[Event]): void {
    this.#listeners.add(event, listener);
  }

  /** The `Snakepit` whose workers it serves. */
  unwrap<T = Snakepit>(): T {
    return this.#snakepit as T;
  }

  #watch(): PoolWatch {
    return new PoolWatch({
      snakepit: this.#snakepit,
      pools: this.#pools,
      onStatus: (status) => this.#onStatus(status),
      onWorker: (change) => this.#listeners.onWorker(change),
    });
  }

  #onStatus(status: SnakepitStatus): void {
    this._status$.next(status);
    this.#listeners.onStatus(status);
  }

  // ---- messages ----------------------------------------------------------------------------------------------------

  async #answer({ pattern, data, pool, run }: Message): Promise<unknown> {
    const route = this.getPatternAsString(pattern);
    const handler = this.getHandlerByPattern(route);
    if (!this.#pools.includes(pool)) throw unknownPattern(route, `nobody answers workers of pool '${pool}'`);
    if (handler === null || handler.isEventHandler) throw unknownPattern(route, this.#whyNot(handler));
    const { caller, signal } = run;
    const { command, meta, workerId: worker } = caller;
    const call = { command, session: meta?.session, trace: meta?.trace, context: meta?.context };
    const context = new SnakepitContext({ pattern, pool, worker, call, signal });
    try {
      return await this.#run(handler, data, context, signal);
    } catch (rejected) {
      throw messageFailureOf(rejected);
    }
  }

  #whyNot(handler: MessageHandler | null): string {
    if (handler !== null) return 'its handler is for events, which workers send by ctx.emit';
    const patterns = [...this.messageHandlers].filter(([, each]) => !each.isEventHandler).map(([name]) => name);
    const more = patterns.length > MAX_LISTED ? `, and ${patterns.length - MAX_LISTED} more` : '';
    const known = patterns.length === 0 ? 'none' : `${patterns.slice(0, MAX_LISTED).join(', ')}${more}`;
    return `no handler has it; those of @MessagePattern are: ${known}`;
  }

  // ---- events ------------------------------------------------------------------------------------------------------

  /** Events that no handler wants are the application's telemetry, or nobody's affair. */
  #hear({ instance, pool, worker, name: pattern, data, call }: WorkerEvent): void {
    if (instance !== this.#snakepit.instance || !this.#pools.includes(pool)) return;
    const handler = this.getHandlerByPattern(pattern);
    if (!handler?.isEventHandler) return;
    const context = new SnakepitContext({ pattern, pool, worker, call, signal: undefined });
    this.#run(handler, data, context).catch((rejected: unknown) => {
      // Nest has logged what its own filter made a payload of.
      if (rejected instanceof Error) this.logger.error(rejected);
    });
  }

  // ---- both --------------------------------------------------------------------------------------------------------

  /** The last value of what the handler returns, between Nest's hooks for the beginning and the end of its work. */
  #run(handler: MessageHandler, data: unknown, context: SnakepitContext, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const work = async (): Promise<void> => {
        try {
          const result: Observable<unknown> = this.transformToObservable(await handler(data, context));
          resolve((await lastValueFrom(whileWanted(result, signal), { defaultValue: null })) ?? null);
        } catch (rejected) {
          reject(rejected);
        } finally {
          this.onProcessingEndHook?.(this.transportId, context);
        }
      };
      this.onProcessingStartHook(this.transportId, context, work);
    });
  }
}

/** Nothing goes on for an answer that nobody waits for. */
function whileWanted(result: Observable<unknown>, signal: AbortSignal | undefined): Observable<unknown> {
  if (signal === undefined) return result;
  return signal.aborted ? EMPTY : result.pipe(takeUntil(fromEvent(signal, 'abort')));
}

function unknownPattern(route: string, why: string): HostCallFailure {
  return new HostCallFailure({ code: 'UNKNOWN_PATTERN', message: `nobody answers '${route}': ${why}` });
}
