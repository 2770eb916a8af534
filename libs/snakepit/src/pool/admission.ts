import type { CallKind } from '../channel/index.js';
import { SnakepitError, type Clock } from '../core/index.js';
import { isTimeout, settingsOf, type CallOptions, type InheritedOptions } from './call-options.js';
import { NO_SURROUNDINGS, type CallSurroundings } from './call-surroundings.js';
import { refusedOutcome } from './call-watcher.js';
import type { CommandBook } from './command-book.js';
import type { Dispatcher } from './dispatcher.js';
import { discardUnopened } from './input-source.js';
import type { ResolvedPoolOptions } from './options.js';
import { PoolCall, type CallListener } from './pool-call.js';
import { cancelled, invalidArguments } from './pool-errors.js';
import type { PoolLife } from './pool-life.js';
import type { ToolRun } from './tool-run.js';
import { currentToolRun } from './tool-scope.js';

export interface AdmissionParts {
  readonly name: string;
  readonly instance: string;
  readonly options: ResolvedPoolOptions;
  readonly surroundings?: CallSurroundings;
  readonly clock: Clock;
  readonly life: PoolLife;
  readonly commands: CommandBook;
  readonly dispatcher: Dispatcher;
}

/** The pool's door: checks what a caller asks for, and makes it a call that the dispatcher sees to its end. */
export class Admission {
  readonly #pool: string;
  readonly #instance: string;
  readonly #options: ResolvedPoolOptions;
  readonly #surroundings: CallSurroundings;
  readonly #clock: Clock;
  readonly #life: PoolLife;
  readonly #commands: CommandBook;
  readonly #dispatcher: Dispatcher;

  constructor(parts: AdmissionParts) {
    this.#pool = parts.name;
    this.#instance = parts.instance;
    this.#options = parts.options;
    this.#surroundings = parts.surroundings ?? NO_SURROUNDINGS;
    this.#clock = parts.clock;
    this.#life = parts.life;
    this.#commands = parts.commands;
    this.#dispatcher = parts.dispatcher;
  }

  /** Checks and admits a call; the listener hears everything, refusals included. Undefined for a refused call. */
  admit(
    kind: CallKind,
    command: string,
    args: unknown,
    options: CallOptions,
    listener: CallListener,
  ): PoolCall | undefined {
    const { totals } = this.#dispatcher;
    totals.requests += 1;
    let call: PoolCall;
    const nesting = currentToolRun();
    let inherited: InheritedOptions = options;
    try {
      if (this.#surroundings.isPresent) {
        inherited = this.#surroundings.inherit({ pool: this.#pool, kind, command, options });
      }
      this.#life.assertOpen(nesting);
      if (inherited.signal?.aborted) throw cancelled(command, this.#pool, inherited.signal.reason, 'not-started');
      const settings = settingsOf(command, this.#pool, inherited);
      const prepared = this.#prepareArgs(command, args);
      const profile = this.#commands.profileOf(kind, command);
      const { contract } = profile;
      if (contract !== undefined) contract.checkArguments(prepared, settings.validate);
      const parts = {
        owner: this.#dispatcher,
        command,
        args: prepared,
        settings: nesting === undefined ? settings : { ...settings, nesting },
        profile,
        admittedAt: this.#clock.now(),
        timeoutMs: this.#timeoutOf(kind, command, prepared, inherited, nesting),
        listener,
      };
      const { batching } = profile;
      if (batching !== undefined && settings.input !== undefined) {
        const reason = 'calls of this command are batched, and a batch has no input; pass the bytes as an argument';
        throw new SnakepitError('INVALID_ARGUMENTS', { command, pool: this.#pool, reason });
      }
      call = batching === undefined ? new PoolCall(parts) : this.#dispatcher.batching.create(parts, batching);
      nesting?.nested.add(call);
    } catch (thrown) {
      if (options.input !== undefined) discardUnopened(options.input);
      const error = invalidArguments(command, this.#pool, thrown);
      error.claim(this.#instance);
      totals.onSettled(error.code);
      inherited.watcher?.onSettled(refusedOutcome(error));
      this.#commands.meters?.meterOf(this.#pool, kind, command).onFailed(error.code, 0, 0);
      listener.onError(error);
      return undefined;
    }
    this.#dispatcher.admit(call);
    return call;
  }

  #prepareArgs(command: string, args: unknown): unknown {
    const { adapter } = this.#options;
    const { supportedCommands } = adapter;
    if (supportedCommands !== undefined && !supportedCommands.includes(command)) {
      throw new SnakepitError('UNKNOWN_COMMAND', { command, pool: this.#pool, known: supportedCommands.join(', ') });
    }
    adapter.validate?.(command, args);
    return adapter.prepareArgs === undefined ? args : adapter.prepareArgs(command, args);
  }

  /** What is called on behalf of another call has no more time than that. */
  #timeoutOf(kind: CallKind, command: string, args: unknown, options: InheritedOptions, nesting?: ToolRun): number {
    const timeoutMs = this.#ownTimeoutOf(kind, command, args, options);
    if (nesting !== undefined) this.#assertShallow(command, nesting);
    const notAfter = Math.min(options.notAfter ?? Infinity, nesting?.caller.deadline ?? Infinity);
    return notAfter === Infinity ? timeoutMs : Math.max(1, Math.min(timeoutMs, notAfter - this.#clock.now()));
  }

  #assertShallow(command: string, { depth }: ToolRun): void {
    const { maxDepth } = this.#options.nested;
    if (depth > maxDepth) throw new SnakepitError('NESTED_TOO_DEEP', { command, pool: this.#pool, depth, maxDepth });
  }

  #ownTimeoutOf(kind: CallKind, command: string, args: unknown, { timeoutMs }: CallOptions): number {
    if (timeoutMs !== undefined) return timeoutMs;
    const byAdapter = this.#options.adapter.commandTimeoutMs?.(command, args);
    if (byAdapter === undefined) return kind === 'stream' ? this.#options.streamTimeoutMs : this.#options.timeoutMs;
    if (isTimeout(byAdapter)) return byAdapter;
    const reason = `The adapter's commandTimeoutMs returned ${String(byAdapter)} for '${command}'; allowed is a number above 0, or Infinity.`;
    throw new SnakepitError('MISUSE', { reason });
  }
}
