import { pathToFileURL } from 'node:url';
import type { CommandManifest } from 'nestjs-snakepit/codec';

import { declaredSchema } from './declared-schema.js';
import { optionsOf, type Handler } from './definition.js';
import { withPlace } from './syntax-fault.js';

export interface Command {
  readonly manifest: CommandManifest;
  readonly handler: Handler;
  /** Declared as asynchronous: it goes on after it has given up the thread. */
  readonly isAsync: boolean;
  /** Set once a run took long: replies that wait are then sent before it starts. */
  isSlow: boolean;
}

const ASYNC = new Set(['AsyncFunction', 'AsyncGeneratorFunction']);
const GENERATORS = new Set(['GeneratorFunction', 'AsyncGeneratorFunction']);

/** Imports a user's file: every function it exports is a command. */
export async function loadCommands(path: string): Promise<Command[]> {
  const commands = commandsIn(await importModule(path), path);
  if (commands.length === 0) throw new Error(`${path} exports no functions; export one for each command`);
  return commands;
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw withPlace(error, path);
  }
}

/** The functions among a module's exports, each as a command. */
export function commandsIn(exported: Readonly<Record<string, unknown>>, path: string): Command[] {
  const commands = new Map<string, Command>();
  for (const [name, value] of Object.entries(exported)) {
    if (name === 'default') addDefault(commands, value, path);
    else if (isHandler(value)) add(commands, name, value, path);
  }
  return [...commands.values()];
}

function addDefault(commands: Map<string, Command>, value: unknown, path: string): void {
  if (isHandler(value)) {
    add(commands, value.name === '' ? 'default' : value.name, value, path);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (isHandler(member)) add(commands, name, member, path, value);
  }
}

function add(commands: Map<string, Command>, exportName: string, handler: Handler, path: string, owner?: object): void {
  const { name = exportName, doc, schema, result, stream, batch } = optionsOf(handler);
  const known = commands.get(name);
  // A CommonJS module exports the same functions by name and in its default.
  if (known !== undefined && sameFunction.get(known) === handler) return;
  if (known !== undefined) throw new Error(`${path} exports two commands named '${name}'; rename one of them`);
  const isStream = stream ?? GENERATORS.has(handler.constructor.name);
  if (isStream && batch !== undefined) throw new Error(`${path}: '${name}' is a stream and cannot have 'batch'`);
  const declared = {
    schema: declaredSchema(schema, 'input', `${path}: the schema of '${name}'`),
    result: declaredSchema(result, 'output', `${path}: the result of '${name}'`),
  };
  const created: Command = {
    manifest: {
      name,
      kind: isStream ? 'stream' : 'call',
      ...(doc && { doc }),
      ...(declared.schema && { schema: declared.schema }),
      ...(declared.result && { result: declared.result }),
      ...(batch && { batch }),
    },
    handler: owner === undefined ? handler : (handler.bind(owner) as Handler),
    isAsync: ASYNC.has(handler.constructor.name),
    isSlow: false,
  };
  sameFunction.set(created, handler);
  commands.set(name, created);
}

const sameFunction = new WeakMap<Command, Handler>();

/** Classes are functions too, but cannot be called. */
function isHandler(value: unknown): value is Handler {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
}
