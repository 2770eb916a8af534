import { HostCallFailure } from '../../channel/index.js';
import {
  describeValue,
  isPlainObject,
  SnakepitError,
  toError,
  type Clock,
  type LogLevel,
  type LogSink,
} from '../../core/index.js';
import type { HostRequest, ResolvedPoolOptions, ToolRun } from '../../pool/index.js';
import { ToolContext } from './tool-context.js';
import { failureOf, isExpected, typeOf } from './tool-failure.js';
import { flawOf, spelledAlike } from './tool-name.js';

/**
 * What a worker's command can call by `ctx.tools`: it gets one argument, a map where the command gave named ones, and the context of the call.
 * What it returns, or its promise resolves to, is the command's answer.
 */
// `any` is what lets a tool declare the argument that it expects.
// oxlint-disable-next-line typescript/no-explicit-any
export type Tool = (args: any, context: ToolContext) => unknown;

export interface ToolOptions {
  /** The pools whose workers may call it; default: all. */
  readonly pools?: readonly string[] | undefined;
  /** @internal Where it comes from, for messages: `Prices.of()`. */
  readonly label?: string;
}

interface Registered {
  readonly name: string;
  readonly tool: Tool;
  readonly options: ToolOptions;
}

export interface ToolsParts {
  readonly pools: Readonly<Record<string, Pick<ResolvedPoolOptions, 'tools'>>>;
  readonly clock: Clock;
  readonly log: LogSink;
}

/** Functions of the host that workers call while they run a command. */
export class Tools {
  readonly #parts: ToolsParts;
  /** By what all spellings of a name have in common. */
  readonly #tools = new Map<string, Registered>();
  /** What each pool's workers may call, by the same; undefined for all. */
  readonly #allowed: ReadonlyMap<string, ReadonlySet<string> | undefined>;

  /** @internal */
  constructor(parts: ToolsParts) {
    this.#parts = parts;
    this.#allowed = new Map(Object.entries(parts.pools).map(([pool, { tools }]) => [pool, allowed(tools)]));
  }

  /** Names, in the order of their registration. */
  get names(): readonly string[] {
    return [...this.#tools.values()].map(({ name }) => name);
  }

  /**
   * Lets workers call a function, at any time.
   *
   * @param name letters, digits, `_`, `-` and `.`; `price.of`, `price_of` and `priceOf` are the same name
   * @throws SnakepitError MISUSE for a name that is taken, or is none, and for a pool that there is not
   */
  register(name: string, tool: Tool, options: ToolOptions = {}): void {
    const label = options.label ?? `the tool ${describeValue(name)}`;
    const refuse = (what: string): never => {
      throw new SnakepitError('MISUSE', { reason: `${label}: ${what}.` });
    };
    const flaw = flawOf(name);
    if (flaw !== undefined) refuse(flaw);
    if (typeof tool !== 'function') refuse(`a tool is a function, not ${describeValue(tool)}`);
    const unknown = options.pools?.find((pool) => !this.#allowed.has(pool));
    if (unknown !== undefined) {
      refuse(`there is no pool '${unknown}'; name some of ${[...this.#allowed.keys()].join(', ')}`);
    }
    const taken = this.#tools.get(spelledAlike(name));
    if (taken !== undefined) {
      const by = taken.options.label === undefined ? '' : `, of ${taken.options.label}`;
      refuse(`the name '${name}' is taken by the tool '${taken.name}'${by}; give one of them another name`);
    }
    this.#tools.set(spelledAlike(name), { name, tool, options });
  }

  /**
   * Looks whether the pools' options name tools that there are.
   *
   * @throws SnakepitError INVALID_OPTIONS
   */
  checkAllowed(): void {
    for (const [pool, { tools }] of Object.entries(this.#parts.pools)) {
      if (tools === 'all') continue;
      const unknown = tools.find((name) => !this.#tools.has(spelledAlike(name)));
      if (unknown === undefined) continue;
      const reason = `'tools' of pool '${pool}' has '${unknown}', which is no tool; there are: ${list(this.names)}.`;
      throw new SnakepitError('INVALID_OPTIONS', { reason, option: `pools.${pool}.tools` });
    }
  }

  /**
   * Answers the host call `tool.call` with `{ name, args, concurrent }`.
   *
   * @internal
   * @throws HostCallFailure at once where the tool cannot be called; the promise rejects with what it throws
   */
  answer(request: HostRequest): Promise<unknown> {
    const { method, pool, isOver } = request;
    if (method !== 'tool.call')
      throw refusal('UNKNOWN_COMMAND', `there is no host call '${method}'; there is tool.call`);
    const { name, args, concurrent } = parse(request.args);
    const registered = this.#find(name, pool);
    if (isOver) {
      const why = `the tool '${registered.name}' was called for a call that has ended, or for none`;
      throw refusal('CALL_ENDED', `${why}; call tools while the command runs, and wait for their answers`);
    }
    return request.runTool(concurrent !== true, (run) => this.#run(registered, args, pool, run));
  }

  /** @internal The registered name of the tool that a `tool.call` with these arguments means; undefined where there is none. */
  nameOf(args: unknown): string | undefined {
    const name = isPlainObject(args) ? args['name'] : undefined;
    return typeof name === 'string' ? this.#tools.get(spelledAlike(name))?.name : undefined;
  }

  #find(name: string, pool: string): Registered {
    const key = spelledAlike(name);
    const registered = this.#tools.get(key);
    if (registered !== undefined && this.#mayCall(pool, key, registered.options)) return registered;
    const mine = [...this.#tools].filter(([each, { options }]) => this.#mayCall(pool, each, options));
    const known = list(mine.map(([, each]) => each.name));
    if (registered === undefined) {
      throw refusal('UNKNOWN_TOOL', `there is no tool '${name}'; workers of pool '${pool}' may call: ${known}`);
    }
    const remedy = `add it to 'tools' of the pool, or the pool to 'pools' of the tool`;
    throw refusal('TOOL_FORBIDDEN', `workers of pool '${pool}' may not call '${name}', only: ${known}; ${remedy}`);
  }

  #mayCall(pool: string, key: string, { pools }: ToolOptions): boolean {
    return (this.#allowed.get(pool)?.has(key) ?? true) && (pools?.includes(pool) ?? true);
  }

  #run({ name, tool }: Registered, args: unknown, pool: string, run: ToolRun): Promise<unknown> {
    const onThrown = (thrown: unknown): never => {
      this.#log(name, pool, run, thrown);
      throw failureOf(thrown);
    };
    try {
      const outcome = tool(args ?? {}, new ToolContext(name, pool, run, this.#parts.clock));
      return Promise.resolve(outcome).then(orNull, onThrown);
    } catch (thrown) {
      return onThrown(thrown);
    }
  }

  /** A tool's stack is for those who keep the host, not for its workers. */
  #log(tool: string, pool: string, { caller }: ToolRun, thrown: unknown): void {
    const level: LogLevel = isExpected(thrown) ? 'debug' : 'error';
    const error = toError(thrown);
    const what = `the tool '${tool}', called by '${caller.command}', threw ${typeOf(thrown)}: ${error.message}`;
    const message = thrown instanceof Error ? `${what}\n${error.stack}` : what;
    const { workerId: worker } = caller;
    this.#parts.log({ level, pool, message, ...(worker !== undefined && { worker }) });
  }
}

function orNull(value: unknown): unknown {
  return value ?? null;
}

function allowed(tools: 'all' | readonly string[]): ReadonlySet<string> | undefined {
  return tools === 'all' ? undefined : new Set(tools.map(spelledAlike));
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function refusal(code: string, message: string): HostCallFailure {
  return new HostCallFailure({ code, message });
}

interface ToolCall {
  readonly name: string;
  readonly args: unknown;
  readonly concurrent: unknown;
}

function parse(given: unknown): ToolCall {
  const { name, args, concurrent } = isPlainObject(given) ? given : {};
  if (typeof name === 'string') return { name, args, concurrent };
  throw refusal(
    'INVALID_ARGUMENTS',
    `'tool.call' takes a map whose 'name' is that of a tool, not ${describeValue(name)}`,
  );
}
