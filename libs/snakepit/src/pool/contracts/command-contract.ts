import type { CommandManifest } from '../../channel/index.js';
import { SnakepitError } from '../../core/index.js';
import { isMap, type JsonSchema } from '../../codec/index.js';
import { compileSchema, type Validate } from './compile-schema.js';
import { misfitOf, type Misfit } from './misfit.js';
import type { Validation } from './validation.js';
import { wireForm } from './wire-form.js';

const NO_ARGUMENTS = Object.freeze({});

/** What one command of a pool takes and gives, by the word of its workers. Schemas are compiled when they are first needed. */
export class CommandContract {
  readonly #command: string;
  readonly #pool: string;
  readonly #positional: readonly string[] | undefined;
  readonly #takesNames: boolean;
  readonly #arguments: Check | undefined;
  readonly #result: Check | undefined;

  readonly #validation: Validation;

  /** @param validation what is checked of calls that say nothing else */
  constructor(pool: string, { name, schema, positional, result }: CommandManifest, validation: Validation) {
    this.#validation = validation;
    this.#pool = pool;
    this.#command = name;
    this.#positional = positional;
    this.#takesNames = positional !== undefined || schema?.type === 'object';
    this.#arguments = schema && new Check(schema);
    this.#result = result && new Check(result);
  }

  /** @throws SnakepitError INVALID_ARGUMENTS with the path of what does not fit */
  checkArguments(args: unknown, validation = this.#validation): void {
    if (this.#arguments === undefined || validation === 'none') return;
    const misfit = this.#arguments.misfit(this.#named(args), 'args');
    if (misfit !== undefined) throw this.#error('INVALID_ARGUMENTS', misfit);
  }

  /** A result, or an item of a stream. @throws SnakepitError INVALID_RESULT with the path of what does not fit */
  checkResult(value: unknown, validation = this.#validation): void {
    if (validation !== 'all') return;
    const misfit = this.#result?.misfit(value, 'result');
    if (misfit !== undefined) throw this.#error('INVALID_RESULT', misfit);
  }

  /** The arguments as the schema knows them: by name, where it has names. */
  #named(args: unknown): unknown {
    if (args === null || args === undefined) return this.#takesNames ? NO_ARGUMENTS : null;
    if (this.#positional === undefined || isMap(args)) return args;
    return byPosition(this.#positional, Array.isArray(args) ? args : [args]);
  }

  #error(code: 'INVALID_ARGUMENTS' | 'INVALID_RESULT', { path, reason }: Misfit): SnakepitError {
    return new SnakepitError(code, {
      command: this.#command,
      pool: this.#pool,
      reason: `${path} ${reason}`,
      path,
    });
  }
}

/** One schema, compiled at the first value. */
class Check {
  #validate: Validate | undefined;

  constructor(private readonly schema: JsonSchema) {}

  misfit(value: unknown, root: string): Misfit | undefined {
    const validate = (this.#validate ??= compileSchema(this.schema));
    try {
      if (validate(value) || validate.errors === null || validate.errors === undefined) return undefined;
      const sent = wireForm(value);
      return validate(sent) ? undefined : misfitOf(validate.errors, sent, root);
    } catch (error) {
      // A value that contains itself, or all but, and a schema that does so too.
      if (error instanceof RangeError) return { path: root, reason: 'is nested too deeply' };
      throw error;
    }
  }
}

/** Items for which there is no name are left to the worker. */
function byPosition(names: readonly string[], args: readonly unknown[]): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  for (let index = 0; index < args.length && index < names.length; index += 1) named[names[index]!] = args[index];
  return named;
}
