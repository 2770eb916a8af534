/** What a value is, as JSON has it. */
export const JSON_TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** What a value is that JSON does not have: the keyword `x-value`. */
export const VALUE_KINDS = ['binary', 'array', 'time'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

/** JSON Schema 2020-12, as far as a worker may use it to say what its commands take and give: see proto/PROTOCOL.md, Contracts. */
export interface JsonSchema {
  readonly type?: JsonType | readonly JsonType[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Subschema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Subschema;
  readonly propertyNames?: Subschema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Subschema;
  readonly prefixItems?: readonly Subschema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly anyOf?: readonly Subschema[];
  readonly oneOf?: readonly Subschema[];
  readonly allOf?: readonly Subschema[];
  readonly not?: Subschema;
  readonly format?: string;
  readonly 'x-value'?: ValueKind;
  readonly 'x-elements'?: readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly deprecated?: boolean;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Subschema>>;
  readonly definitions?: Readonly<Record<string, Subschema>>;
}

/** `true` takes every value, `false` none. */
export type Subschema = JsonSchema | boolean;
