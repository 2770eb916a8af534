import { referredTo, type JsonSchema, type JsonType, type Subschema } from '../../codec/index.js';
import { compileSchema } from '../../pool/contracts/compile-schema.js';
import { canonicalText } from './canonical.js';

/** A schema, and the root that its references mean. */
export interface Rooted {
  readonly schema: Subschema;
  readonly root: JsonSchema;
}

const LEAST = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'] as const;
const MOST = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'] as const;
/** Keywords that only their equal is known to keep. */
const EQUAL_ONLY = ['multipleOf', 'format', 'not', 'propertyNames'] as const;

/**
 * Whether every value that fits `given` is known to fit `taken`. It may say no where that is so all the same. `oneOf` is taken for `anyOf`.
 */
export function accepts(taken: Rooted, given: Rooted): boolean {
  return new Comparison().accepts(taken, given);
}

class Comparison {
  /** Pairs of definitions that are being compared: where they meet again, the answer is that of all else. */
  readonly #assumed = new Set<string>();

  accepts(taken: Rooted, given: Rooted): boolean {
    const { schema: to } = taken;
    const { schema: from } = given;
    if (to === true || from === false) return true;
    if (to === false) return false;
    if (from === true) return isUnlimited(to);
    if (isUnlimited(to)) return true;
    const parts = partsOf(to);
    if (parts.length > 1) return parts.every((schema) => this.accepts({ ...taken, schema }, given));
    if (from.$ref !== undefined || to.$ref !== undefined) return this.#acceptsReferred(taken, given);
    const alternatives = from.anyOf ?? from.oneOf ?? typesOf(from);
    if (alternatives !== undefined) {
      return alternatives.every((schema) => this.accepts(taken, { ...given, schema }));
    }
    const values = from.enum ?? ('const' in from ? [from.const] : undefined);
    if (values !== undefined) return values.every((value) => fits(value, taken));
    const choices = to.anyOf ?? to.oneOf ?? typesOf(to);
    if (choices !== undefined) return choices.some((schema) => this.accepts({ ...taken, schema }, given));
    if (to.enum !== undefined || 'const' in to) return false;
    if (to.allOf !== undefined) return this.accepts({ ...taken, schema: to.allOf[0]! }, given);
    return this.#acceptsPlain({ schema: to, root: taken.root }, { schema: from, root: given.root });
  }

  #acceptsReferred(taken: Rooted, given: Rooted): boolean {
    const key = canonicalText([taken.schema, given.schema]);
    if (this.#assumed.has(key)) return true;
    this.#assumed.add(key);
    return this.accepts(resolved(taken), resolved(given));
  }

  #acceptsPlain(taken: Rooted & { schema: JsonSchema }, given: Rooted & { schema: JsonSchema }): boolean {
    const [to, from] = [taken.schema, given.schema];
    if (to['x-value'] !== undefined || from['x-value'] !== undefined) return isKindWithin(to, from);
    if (to.type !== undefined && to.type !== from.type && !(to.type === 'number' && from.type === 'integer'))
      return false;
    if (!areLimitsWithin(to, from)) return false;
    return this.#acceptsMembers(taken, given) && this.#acceptsItems(taken, given);
  }

  #acceptsMembers(taken: Rooted & { schema: JsonSchema }, given: Rooted & { schema: JsonSchema }): boolean {
    const [to, from] = [taken.schema, given.schema];
    const always = new Set(from.required);
    if (!(to.required ?? []).every((name) => always.has(name))) return false;
    const names = new Set([...Object.keys(to.properties ?? {}), ...Object.keys(from.properties ?? {})]);
    const isMember = (name: string): boolean =>
      this.accepts({ ...taken, schema: memberOf(to, name) }, { ...given, schema: memberOf(from, name) });
    if (![...names].every(isMember)) return false;
    const others = { ...given, schema: from.additionalProperties ?? true };
    return this.accepts({ ...taken, schema: to.additionalProperties ?? true }, others);
  }

  #acceptsItems(taken: Rooted & { schema: JsonSchema }, given: Rooted & { schema: JsonSchema }): boolean {
    const [to, from] = [taken.schema, given.schema];
    const count = Math.max(to.prefixItems?.length ?? 0, from.prefixItems?.length ?? 0);
    const last = from.maxItems ?? Infinity;
    for (let index = 0; index < count && index < last; index += 1) {
      const pair = [
        { ...taken, schema: itemOf(to, index) },
        { ...given, schema: itemOf(from, index) },
      ] as const;
      if (!this.accepts(...pair)) return false;
    }
    if (last <= count) return true;
    return this.accepts({ ...taken, schema: to.items ?? true }, { ...given, schema: from.items ?? true });
  }
}

/** What a schema asks for at once, each by itself. */
function partsOf({ $ref, anyOf, oneOf, allOf = [], ...rest }: JsonSchema): Subschema[] {
  const whole: Subschema[] = allOf.map((schema) => ({ allOf: [schema] }));
  if ($ref !== undefined) whole.push({ $ref });
  if (anyOf !== undefined) whole.push({ anyOf });
  if (oneOf !== undefined) whole.push({ oneOf });
  return isUnlimited(rest) ? whole : [...whole, rest];
}

function resolved({ schema, root }: Rooted): Rooted {
  return typeof schema === 'object' && schema.$ref !== undefined
    ? { schema: referredTo(root, schema.$ref), root }
    : { schema, root };
}

function typesOf(schema: JsonSchema): Subschema[] | undefined {
  const { type, ...rest } = schema;
  return Array.isArray(type) ? type.map((each: JsonType) => Object.assign({ type: each }, rest)) : undefined;
}

function memberOf(schema: JsonSchema, name: string): Subschema {
  const { properties = {} } = schema;
  return Object.hasOwn(properties, name) ? properties[name]! : (schema.additionalProperties ?? true);
}

function itemOf({ prefixItems, items }: JsonSchema, index: number): Subschema {
  return prefixItems?.[index] ?? items ?? true;
}

function isKindWithin(to: JsonSchema, from: JsonSchema): boolean {
  if (to['x-value'] === 'array' && from['x-value'] === 'binary') return to['x-elements']?.includes('u1') ?? true;
  if (to['x-value'] !== from['x-value']) return false;
  const allowed = to['x-elements'];
  return allowed === undefined || (from['x-elements']?.every((name) => allowed.includes(name)) ?? false);
}

function areLimitsWithin(to: JsonSchema, from: JsonSchema): boolean {
  const isLeast = LEAST.every((keyword) => to[keyword] === undefined || (from[keyword] ?? -Infinity) >= to[keyword]);
  const isMost = MOST.every((keyword) => to[keyword] === undefined || (from[keyword] ?? Infinity) <= to[keyword]);
  const isEqual = EQUAL_ONLY.every(
    (keyword) => to[keyword] === undefined || canonicalText(to[keyword]) === canonicalText(from[keyword] ?? null),
  );
  return isLeast && isMost && isEqual;
}

/** Whether nothing of a schema limits what fits it. */
function isUnlimited(schema: JsonSchema): boolean {
  const said = new Set(['title', 'description', 'default', 'deprecated', '$defs', 'definitions']);
  return Object.keys(schema).every((keyword) => said.has(keyword));
}

function fits(value: unknown, { schema, root }: Rooted): boolean {
  if (typeof schema === 'boolean') return schema;
  const { $defs, definitions } = root;
  return compileSchema({ ...schema, ...($defs && { $defs }), ...(definitions && { definitions }) })(value);
}
