import { describeValue, resolveOptions, SnakepitError } from '../../core/index.js';
import { addMember, ownMembersOf } from './client.metadata.js';
import { poolCommandOptionTable, type PoolCommandOptions } from './client.options.js';

/** Members that Nest or the language call by themselves. */
const RESERVED: ReadonlySet<string> = new Set([
  'constructor',
  'then',
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

/**
 * Makes a property of a `@PoolClient` class run a command. Its type says what the command takes and returns: `Command`, `StreamCommand` with
 * `stream: true`, `SessionCommand` with `session: true`. The command's name is that of the property unless given.
 *
 * @example
 * \@PoolCommand('predict_rows', { idempotent: true }) readonly predict!: Command<{ rows: number[][] }, Prediction[]>;
 * @throws SnakepitError MISUSE or INVALID_OPTIONS where it cannot work, naming class and member
 */
export function PoolCommand(name?: string, options?: PoolCommandOptions): PropertyDecorator;
export function PoolCommand(options: PoolCommandOptions): PropertyDecorator;
export function PoolCommand(first?: string | PoolCommandOptions, second?: PoolCommandOptions): PropertyDecorator {
  const [name, options] = typeof first === 'object' ? [undefined, first] : [first, second];
  // As PropertyDecorator says nothing of it, a method's descriptor comes as a third argument.
  return (target: object, member: string | symbol, descriptor?: PropertyDescriptor) => {
    const label = labelOf(target, member);
    if (typeof target === 'function')
      throw misuse(label, 'stands on a static member; put it on a property of instances');
    if (descriptor !== undefined) {
      throw misuse(
        label,
        'stands on a method or an accessor; declare a property, or use @SnakepitCommand for a method with a body',
      );
    }
    if (typeof member === 'symbol') throw misuse(label, 'stands on a symbol; give the property a name');
    if (RESERVED.has(member)) {
      throw misuse(
        label,
        `Nest would call it by itself; give the property another name: @PoolCommand('${member}') run!: …`,
      );
    }
    if (ownMembersOf(target).some((each) => each.member === member)) {
      throw misuse(label, 'stands there twice; keep one');
    }
    addMember(target, {
      label,
      member,
      command: commandName(name ?? member, label),
      options: resolveOptions(poolCommandOptionTable, options ?? {}, `@PoolCommand on ${label}`),
    });
  };
}

function commandName(name: unknown, label: string): string {
  if (typeof name === 'string' && name !== '') return name;
  throw misuse(label, `names the command ${describeValue(name)}; give the name as a non-empty string`);
}

function labelOf(target: object, member: string | symbol): string {
  const name = typeof target === 'function' ? `static ${target.name}` : target.constructor.name;
  return `${name}.${String(member)}`;
}

function misuse(label: string, what: string): SnakepitError {
  return new SnakepitError('MISUSE', { reason: `@PoolCommand on ${label}: ${what}.` });
}
