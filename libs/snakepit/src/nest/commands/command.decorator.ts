import { Inject } from '@nestjs/common';
import { throwError } from 'rxjs';

import { describeValue, resolveOptions, SnakepitError } from '../../core/index.js';
import { addDeclaration, labelOf, RUNNER, sessionParametersOf, type CommandDeclaration } from './command.metadata.js';
import { commandOptionTable, type SnakepitCommandOptions } from './command.options.js';
import { CommandRunner } from './command.runner.js';

/** An instance whose class declares commands. */
interface CommandHost {
  readonly [RUNNER]?: CommandRunner;
}

/**
 * Makes a method of a provider or controller run a command of a worker. Its body maps its parameters to the command's
 * arguments, by `return commandArgs({ ... })`; a body that returns undefined sends the parameters as they are, in order. The
 * method returns the command's result as a Promise, or its items as an Observable with `stream: true`.
 *
 * The command's name is that of the method unless given.
 *
 * @example
 * \@SnakepitCommand('summarize', { timeoutMs: 5_000 })
 * summarize(text: string, @SessionId() session: string): Promise<Summary> {
 *   return commandArgs({ text });
 * }
 * @throws SnakepitError MISUSE or INVALID_OPTIONS where it cannot work, naming class and method
 */
export function SnakepitCommand(name?: string, options?: SnakepitCommandOptions): MethodDecorator;
export function SnakepitCommand(options: SnakepitCommandOptions): MethodDecorator;
export function SnakepitCommand(
  first?: string | SnakepitCommandOptions,
  second?: SnakepitCommandOptions,
): MethodDecorator {
  const [name, options] = typeof first === 'object' ? [undefined, first] : [first, second];
  return (target: object, method: string | symbol, descriptor?: PropertyDescriptor) => {
    const body: unknown = descriptor?.value;
    const label = labelOf(target, method);
    if (descriptor === undefined || typeof body !== 'function' || typeof target === 'function') {
      throw misuse(label, 'stands on something that is no method of instances; put it on an ordinary method');
    }
    const resolved = resolveOptions(commandOptionTable, options ?? {}, `@SnakepitCommand on ${label}`);
    if (resolved.stream && resolved.batch !== false) {
      throw misuse(label, "has 'stream' and 'batch'; only calls with one result can be batched, keep one of the two");
    }
    const declaration: CommandDeclaration = {
      label,
      method,
      command: commandName(name ?? method, label),
      options: resolved,
      body: body as CommandDeclaration['body'],
      sessionIndex: sessionIndexOf(target, method, label),
    };
    addDeclaration(target, declaration);
    Inject(CommandRunner)(target, RUNNER);
    descriptor.value = commandMethod(declaration);
    copyMetadata(body, descriptor.value as object);
  };
}

/** What stands in the place of the method: it finds its application by the instance it is called on. */
function commandMethod(declaration: CommandDeclaration): CommandDeclaration['body'] {
  const { body, label, options } = declaration;
  function run(this: CommandHost | undefined, ...parameters: unknown[]): unknown {
    const runner = this?.[RUNNER];
    if (runner !== undefined) return runner.run(declaration, this, parameters);
    const error = misuse(label, 'was called on an object that Nest did not make; inject its class instead');
    return options.stream ? throwError(() => error) : Promise.reject(error);
  }
  Object.defineProperty(run, 'name', { value: body.name, configurable: true });
  Object.defineProperty(run, 'length', { value: body.length, configurable: true });
  return run as CommandDeclaration['body'];
}

/** Other decorators may have written on the body before; those that come later write on its replacement. */
function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getOwnMetadataKeys(from) as unknown[]) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, from), to);
  }
}

function commandName(name: unknown, label: string): string {
  if (typeof name === 'string' && name !== '') return name;
  throw misuse(label, `names the command ${describeValue(name)}; give the name as a non-empty string`);
}

function sessionIndexOf(prototype: object, method: string | symbol, label: string): number | undefined {
  const [first, ...others] = sessionParametersOf(prototype).filter((parameter) => parameter.method === method);
  if (others.length === 0) return first?.index;
  throw misuse(label, `has ${others.length + 1} @SessionId() parameters; a call belongs to one session, keep one`);
}

function misuse(label: string, what: string): SnakepitError {
  return new SnakepitError('MISUSE', { reason: `@SnakepitCommand on ${label}: ${what}.` });
}
