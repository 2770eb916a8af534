import { Injectable } from '@nestjs/common';
import { defer, from, mergeMap, type Observable } from 'rxjs';

import { SnakepitError } from '../../core/index.js';
import { declaredOptions } from '../../pool/index.js';
import { Snakepit, type ExecuteOptions, type PoolService } from '../../runtime/index.js';
import { DeferredItems, PullableStream } from '../../runtime/pullable-stream.js';
import { assertOffered, offerOf } from './command.manifest-check.js';
import type { CommandDeclaration } from './command.metadata.js';

/** A command with the pool of this application that runs it. */
interface BoundCommand {
  readonly pool: PoolService;
  readonly options: ExecuteOptions;
}

/** Runs the commands that this application's providers and controllers declare. */
@Injectable()
export class CommandRunner {
  readonly #bound = new Map<CommandDeclaration, BoundCommand>();
  #isInitialized = false;

  constructor(private readonly snakepit: Snakepit) {}

  /**
   * Lets the commands be called.
   *
   * @internal
   * @throws SnakepitError MISUSE for a command of a pool that there is not.
   */
  bind(declarations: Iterable<CommandDeclaration>): void {
    for (const declaration of declarations) this.#bound.set(declaration, this.#resolve(declaration));
    this.#isInitialized = true;
  }

  /**
   * Holds the declarations against what the workers said they offer; workers that tell nothing are taken at their word.
   *
   * @internal
   * @throws SnakepitError MISUSE for an unknown command, and for a call that is a stream or the other way round.
   */
  checkManifests(): void {
    for (const [declaration, { pool }] of this.#bound) this.#check(declaration, pool);
  }

  /** A Promise of the result; for a stream an Observable of its items. */
  run(declaration: CommandDeclaration, host: unknown, parameters: unknown[]): unknown {
    return declaration.options.stream
      ? this.#stream(declaration, host, parameters)
      : this.#call(declaration, host, parameters);
  }

  #call(declaration: CommandDeclaration, host: unknown, parameters: unknown[]): Promise<unknown> {
    try {
      const { pool, options } = this.#boundTo(declaration);
      const calling = optionsOf(declaration, options, parameters);
      const given = argsOf(declaration, host, parameters);
      return given instanceof Promise
        ? given.then((args) => pool.execute(declaration.command, args, calling))
        : pool.execute(declaration.command, given, calling);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The body runs at every subscription, as the command does. */
  #stream(declaration: CommandDeclaration, host: unknown, parameters: unknown[]): Observable<unknown> {
    const { command } = declaration;
    const begin = () => {
      const { pool, options } = this.#boundTo(declaration);
      const calling = optionsOf(declaration, options, parameters);
      return { pool, calling, given: argsOf(declaration, host, parameters) };
    };
    const pushed = defer(() => {
      const { pool, calling, given } = begin();
      return given instanceof Promise
        ? from(given).pipe(mergeMap((args) => pool.stream(command, args, calling)))
        : pool.stream(command, given, calling);
    });
    return new PullableStream(
      (subscriber) => pushed.subscribe(subscriber),
      () => {
        const { pool, calling, given } = begin();
        return given instanceof Promise
          ? new DeferredItems(given.then((args) => pool.iterate(command, args, calling)))
          : pool.iterate(command, given, calling);
      },
    );
  }

  #boundTo(declaration: CommandDeclaration): BoundCommand {
    const bound = this.#bound.get(declaration);
    if (bound !== undefined) return bound;
    if (this.#isInitialized) return this.#bindLate(declaration);
    const reason = `${declaration.label} was called before the application had initialized; call it from onModuleInit on.`;
    throw new SnakepitError('MISUSE', { reason });
  }

  /** The class was not there at the start: its module is loaded lazily. */
  #bindLate(declaration: CommandDeclaration): BoundCommand {
    const bound = this.#resolve(declaration);
    this.#check(declaration, bound.pool);
    this.#bound.set(declaration, bound);
    return bound;
  }

  #resolve(declaration: CommandDeclaration): BoundCommand {
    const { pool: poolName, timeoutMs, priority, idempotent, validate, batch } = declaration.options;
    const options = declaredOptions({ timeoutMs, priority, idempotent, validate });
    const pool = this.#poolFor(declaration, poolName);
    if (batch !== false) pool.declareBatch(declaration.command, batch, `@SnakepitCommand on ${declaration.label}`);
    return { pool, options };
  }

  #check({ label, command, options }: CommandDeclaration, pool: PoolService): void {
    const { stream } = options;
    assertOffered({ what: `@SnakepitCommand on ${label}`, command, stream }, offerOf(this.snakepit, pool));
  }

  #poolFor({ label }: CommandDeclaration, name: string | undefined): PoolService {
    const { poolNames, defaultPoolName } = this.snakepit;
    const wanted = name ?? defaultPoolName;
    if (poolNames.includes(wanted)) return this.snakepit.pool(wanted);
    const reason = `@SnakepitCommand on ${label}: there is no pool '${wanted}'; set 'pool' to one of ${poolNames.join(', ')}.`;
    throw new SnakepitError('MISUSE', { reason });
  }
}

/** What the body returns; undefined stands for the parameters themselves, a session's id apart. */
function argsOf(declaration: CommandDeclaration, host: unknown, parameters: unknown[]): unknown {
  const mapped = declaration.body.apply(host, parameters);
  if (mapped === undefined) return positional(declaration, parameters);
  if (mapped instanceof Promise)
    return mapped.then((args: unknown) => (args === undefined ? positional(declaration, parameters) : args));
  return mapped;
}

function positional({ sessionIndex }: CommandDeclaration, parameters: unknown[]): unknown[] | null {
  const args = sessionIndex === undefined ? parameters : parameters.toSpliced(sessionIndex, 1);
  return args.length === 0 ? null : args;
}

function optionsOf(
  { sessionIndex, label }: CommandDeclaration,
  options: ExecuteOptions,
  parameters: unknown[],
): ExecuteOptions {
  if (sessionIndex === undefined) return options;
  const session = parameters[sessionIndex];
  if (typeof session === 'string' && session !== '') return { ...options, session };
  const reason = `the @SessionId() parameter of ${label} must be a non-empty string`;
  throw new SnakepitError('INVALID_ARGUMENTS', { command: label, reason });
}
