import { SnakepitError } from '../../core/index.js';
import { DataFrame } from './data-frame.js';
import type { PythonHost } from './python-host.js';
import type {
  Inspection,
  PipelineResult,
  PipelineStep,
  PredictOptions,
  PythonArgs,
  PythonCallOptions,
  PythonInfo,
  PythonKwargs,
  PythonTarget,
  StoreAs,
  TableSource,
  TrainingData,
  TrainingResult,
} from './python.types.js';
import { PythonRef, type StoredDescription, type StoredObject } from './values.js';
import { decodeResult, encodeArgument } from './wire.js';

interface MaybeStored {
  readonly storeAs?: string | undefined;
}

/**
 * Calls of libraries in Python workers. All reject with SnakepitError: INVALID_ARGUMENTS for what is not on the allow-list, not there, or not stored (`remote.data.reason` says which),
 * REMOTE_ERROR for what the called function raised, SESSION_WORKER_UNAVAILABLE for a stored object that was lost with its worker.
 */
export abstract class PythonCalls {
  /** @internal */
  protected constructor(
    protected readonly host: PythonHost,
    private readonly ownSession: string | undefined,
  ) {}

  /**
   * Calls a function, class or method, or reads a value: `call('math.sqrt', [2])`, `call('df.describe')`, `call('model.coef_')`.
   *
   * Without `args` and `kwargs` functions and classes are called, and everything else is read. References may stand anywhere in arguments.
   */
  call(
    target: PythonTarget,
    args: PythonArgs | undefined,
    kwargs: PythonKwargs | undefined,
    options: PythonCallOptions & StoreAs,
  ): Promise<StoredObject>;
  call<Result = unknown>(
    target: PythonTarget,
    args?: PythonArgs,
    kwargs?: PythonKwargs,
    options?: PythonCallOptions & { readonly storeAs?: undefined },
  ): Promise<Result>;
  async call(
    target: PythonTarget,
    args?: PythonArgs,
    kwargs?: PythonKwargs,
    { storeAs, ...options }: PythonCallOptions & MaybeStored = {},
  ): Promise<unknown> {
    return this.#answer('call', { ...callOf(target, args, kwargs), ...storedAs(storeAs) }, options);
  }

  /** Keeps a value in the session's worker. */
  async store(name: string, value: unknown, options: PythonCallOptions = {}): Promise<StoredObject> {
    return (await this.#answer('store', { name, value: encodeArgument(value) }, options)) as StoredObject;
  }

  /** The value of a stored object; one that has no form outside of Python comes as a {@link PythonObject}. */
  async retrieve<Result = unknown>(name: string, options: PythonCallOptions = {}): Promise<Result> {
    return (await this.#answer('retrieve', { name }, options)) as Result;
  }

  /** What the session has stored. */
  async list(options: PythonCallOptions = {}): Promise<StoredObject[]> {
    const { objects } = (await this.#run('list', {}, options)) as { objects: StoredDescription[] };
    return objects.map((told) => this.host.noteStored(told, this.#sessionOf(options)));
  }

  /** Lets go of a stored object; what still refers to it fails then. */
  async delete(name: string, options: PythonCallOptions = {}): Promise<void> {
    await this.#run('delete', { name }, options);
    this.host.noteDeleted(name, this.#sessionOf(options));
  }

  /**
   * Runs calls one after the other without coming back in between; what a step stores later ones may refer to. Steps that cannot be right are refused before any of them runs.
   *
   * @throws SnakepitError REMOTE_ERROR that names the step which failed; `remote.data` has its number, name, target and what it raised.
   */
  async pipeline<Result = unknown>(
    steps: readonly PipelineStep[],
    options: PythonCallOptions = {},
  ): Promise<PipelineResult<Result>> {
    const told = steps.map(({ name, target, args, kwargs, storeAs }) => ({
      ...callOf(target, args, kwargs),
      ...(name !== undefined && { name }),
      ...storedAs(storeAs),
    }));
    const { value, stored } = (await this.#run('pipeline', { steps: told }, options)) as {
      value?: unknown;
      stored: StoredDescription[];
    };
    const session = this.#sessionOf(options);
    return {
      value: decodeResult(value) as Result,
      stored: stored.map((each) => this.host.noteStored(each, session)),
    };
  }

  /** Describes what a target names: kind, signature, documentation, members. */
  async inspect(target: PythonTarget, options: PythonCallOptions = {}): Promise<Inspection> {
    return (await this.#run('inspect', { target: pathOf(target) }, options)) as Inspection;
  }

  /** Sets up a framework in the session's worker, which its other sessions see too: `configure('pandas', { 'display.max_rows': 20 })`. */
  async configure(framework: string, settings: PythonKwargs, options: PythonCallOptions = {}): Promise<void> {
    await this.#run('configure', { framework, settings: encodeArgument(settings) }, options);
  }

  /** Versions, the allow-list and limits of a worker, and what the session stores there. */
  async info(options: PythonCallOptions = {}): Promise<PythonInfo> {
    return (await this.#run('info', {}, options)) as PythonInfo;
  }

  /** Makes a table of pandas, of text, bytes, records, columns or a file; `reader` are those named arguments of pandas' reader that are for callers. */
  loadDataframe(
    source: TableSource,
    options: PythonCallOptions & StoreAs & { readonly reader?: PythonKwargs },
  ): Promise<StoredObject>;
  loadDataframe(
    source: TableSource,
    options?: PythonCallOptions & { readonly storeAs?: undefined; readonly reader?: PythonKwargs },
  ): Promise<DataFrame>;
  async loadDataframe(
    source: TableSource,
    { storeAs, reader, ...options }: PythonCallOptions & MaybeStored & { readonly reader?: PythonKwargs } = {},
  ): Promise<unknown> {
    const given = source instanceof DataFrame ? { columns: source } : source;
    const args = { source: encodeArgument(given), options: encodeArgument(reader ?? {}), ...storedAs(storeAs) };
    return this.#answer('load_dataframe', args, options);
  }

  /** Makes a model of a class and keeps it: anything that has a method `fit`. */
  async createModel(
    target: PythonTarget,
    params: PythonKwargs,
    { storeAs, ...options }: PythonCallOptions & StoreAs,
  ): Promise<StoredObject> {
    const args = { target: pathOf(target), params: encodeArgument(params), ...storedAs(storeAs) };
    return (await this.#answer('create_model', args, options)) as StoredObject;
  }

  /** Trains a stored model. */
  async trainModel(
    model: PythonTarget,
    { data, target, features, params }: TrainingData,
    options: PythonCallOptions = {},
  ): Promise<TrainingResult> {
    const args = {
      model: pathOf(model),
      data: encodeArgument(data),
      ...(target !== undefined && { target }),
      ...(features !== undefined && { features }),
      ...(params !== undefined && { params: encodeArgument(params) }),
    };
    return (await this.#run('train_model', args, options)) as TrainingResult;
  }

  /** What a stored model makes of rows: a table, an array, nested lists, or a reference to one of these. */
  predict(
    model: PythonTarget,
    data: unknown,
    options: PythonCallOptions & PredictOptions & StoreAs,
  ): Promise<StoredObject>;
  predict<Result = unknown>(
    model: PythonTarget,
    data: unknown,
    options?: PythonCallOptions & PredictOptions & { readonly storeAs?: undefined },
  ): Promise<Result>;
  async predict(
    model: PythonTarget,
    data: unknown,
    { storeAs, method = 'predict', features, ...options }: PythonCallOptions & PredictOptions & MaybeStored = {},
  ): Promise<unknown> {
    const args = {
      model: pathOf(model),
      data: encodeArgument(data),
      method,
      ...(features !== undefined && { features }),
    };
    return this.#answer('predict', { ...args, ...storedAs(storeAs) }, options);
  }

  #answer(command: string, args: Record<string, unknown>, options: PythonCallOptions): Promise<unknown> {
    return this.host.answer(command, args, this.#inSession(options));
  }

  #run(command: string, args: Record<string, unknown>, options: PythonCallOptions): Promise<unknown> {
    return this.host.run(command, args, this.#inSession(options));
  }

  #inSession(options: PythonCallOptions): PythonCallOptions {
    return this.ownSession === undefined ? options : { ...options, session: this.ownSession };
  }

  #sessionOf(options: PythonCallOptions): string | undefined {
    return this.ownSession ?? options.session;
  }
}

function callOf(target: PythonTarget, args: PythonArgs | undefined, kwargs: PythonKwargs | undefined) {
  return {
    target: pathOf(target),
    ...(args !== undefined && { args: encodeArgument(args) }),
    // Named arguments are a map of names, never a tag.
    ...(kwargs !== undefined && { kwargs: namedArguments(kwargs) }),
  };
}

function namedArguments(kwargs: PythonKwargs): Record<string, unknown> {
  const defined = Object.entries(kwargs).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined.map(([name, value]) => [name, encodeArgument(value)]));
}

function pathOf(target: PythonTarget): string {
  if (typeof target === 'string') return target;
  if (target instanceof PythonRef) return target.path;
  throw new SnakepitError('INVALID_ARGUMENTS', {
    reason: `a target is a dotted name such as 'math.sqrt', or a reference, not ${String(target)}`,
  });
}

function storedAs(name: string | undefined): { readonly store_as?: string } {
  return name === undefined ? {} : { store_as: name };
}
