import { referredTo, type JsonSchema, type Subschema } from '../../codec/index.js';
import { canonicalText } from './canonical.js';
import { pascalCase, type Names } from './identifiers.js';
import { docComment } from './literals.js';
import { docOf, isObject, membersText, typeText, type NameOf } from './type-text.js';

/** The types of a file that have names: each definition once, however many commands refer to one like it. */
export class Definitions {
  readonly #byContent = new Map<string, string>();
  readonly #texts: string[] = [];

  constructor(private readonly names: Names) {}

  get text(): string {
    return this.#texts.join('');
  }

  /** Names what a schema refers to. @param suffix tells its types from others of the same name */
  namesIn(root: JsonSchema, suffix: string, ownName: string): NameOf {
    return (reference) => this.#nameOf(root, reference, suffix, ownName);
  }

  /** A type of its own for a schema. */
  define(name: string, schema: Subschema, nameOf: NameOf): string {
    const doc = docComment(docOf(schema), '');
    const at = this.#texts.push('') - 1;
    this.#texts[at] = isObject(schema)
      ? `${doc}export interface ${name} {\n${membersText(schema, nameOf, '  ')}}\n\n`
      : `${doc}export type ${name} = ${typeText(schema, nameOf)};\n\n`;
    return name;
  }

  #nameOf(root: JsonSchema, reference: string, suffix: string, ownName: string): string {
    const schema = referredTo(root, reference);
    const content = contentOf(root, reference);
    const known = this.#byContent.get(content);
    if (known !== undefined) return known;
    const wanted = reference === '#' ? ownName : pascalCase(reference.slice(reference.lastIndexOf('/') + 1));
    const name = this.names.take(this.names.isFree(wanted) ? wanted : `${wanted}${suffix}`);
    this.#byContent.set(content, name);
    return this.define(name, schema, this.namesIn(root, suffix, ownName));
  }
}

/** Everything that decides what a reference means: what it refers to, and what that refers to in turn. */
function contentOf(root: JsonSchema, reference: string): string {
  const met = new Map<string, Subschema>();
  const visit = (name: string): void => {
    if (met.has(name)) return;
    const schema = referredTo(root, name);
    met.set(name, schema);
    for (const each of referencesIn(schema)) visit(each);
  };
  visit(reference);
  return canonicalText([...met]);
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' && typeof member === 'string' ? [member] : key === '$defs' ? [] : referencesIn(member),
  );
}
