import type { JsonSchema } from '../../codec/index.js';
import { contractLines, type CommandContract } from './contract-lines.js';
import { Definitions } from './definitions.js';
import { camelCase, Names, pascalCase } from './identifiers.js';
import { docComment, quoted } from './literals.js';
import { isObject, typeText } from './type-text.js';

/** Of a command that says nothing of its arguments: named ones, positional ones, or none. */
const ANY_ARGUMENTS = 'Record<string, unknown> | readonly unknown[] | void';

const HEAD = `// Written by \`npx snakepit types\`; do not edit. With --check it tells what has changed in the worker since.\n`;

export interface ClientOptions {
  /** The class's name. */
  readonly name: string;
  /** The pool that it calls; undefined for the default one. */
  readonly pool: string | undefined;
}

/** The TypeScript of a client: interfaces of what its commands take and give, and a class whose members they are. */
export function clientText(contracts: readonly CommandContract[], { name, pool }: ClientOptions): string {
  const types = Names.ofTypes(name);
  const definitions = new Definitions(types);
  const members = Names.ofMembers();
  const declared = contracts.map((contract) => memberText(contract, members, definitions, types));
  const used = [
    ...(contracts.some(({ kind }) => kind === 'call') ? ['type Command'] : []),
    ...(contracts.some(({ kind }) => kind === 'stream') ? ['type StreamCommand'] : []),
  ];
  const options = pool === undefined ? '' : `{ pool: ${quoted(pool)} }`;
  return [
    HEAD,
    `import { PoolClient, PoolCommand, ${used.join(', ')} } from 'nestjs-snakepit';\n\n`,
    definitions.text,
    `@PoolClient(${options})\nexport abstract class ${name} {\n${declared.join('\n')}}\n\n`,
    contractLines(contracts),
  ].join('');
}

function memberText(contract: CommandContract, members: Names, definitions: Definitions, types: Names): string {
  const { name, kind, doc, schema, result } = contract;
  const member = members.take(camelCase(name));
  const isStream = kind === 'stream';
  const said = [...(member === name ? [] : [quoted(name)]), ...(isStream ? ['{ stream: true }'] : [])];
  const taken = schema === undefined ? ANY_ARGUMENTS : argumentsType(schema, pascalCase(name), definitions, types);
  const given =
    result === undefined
      ? 'unknown'
      : namedType(result, `${pascalCase(name)}${isStream ? 'Item' : 'Result'}`, 'Result', definitions, types);
  const type = `${isStream ? 'StreamCommand' : 'Command'}<${taken}, ${given}>`;
  return `${docComment(doc === undefined ? [] : [doc], '  ')}  @PoolCommand(${said.join(', ')}) readonly ${member}!: ${type};\n`;
}

function argumentsType(schema: JsonSchema, name: string, definitions: Definitions, types: Names): string {
  if (isObject(schema) && Object.keys(schema.properties ?? {}).length === 0 && schema.additionalProperties === false) {
    return 'void';
  }
  const type = namedType(schema, `${name}Args`, 'Args', definitions, types);
  const isOptional = isObject(schema) && (schema.required ?? []).length === 0;
  return isOptional ? `${type} | void` : type;
}

/** A map with known members gets an interface of its own, all else stands where it is used. */
function namedType(root: JsonSchema, name: string, suffix: string, definitions: Definitions, types: Names): string {
  if (!isObject(root)) return typeText(root, definitions.namesIn(root, suffix, name));
  const own = types.take(name);
  return definitions.define(own, root, definitions.namesIn(root, suffix, own));
}
