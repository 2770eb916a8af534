import { createRequire } from 'node:module';
import type { Ajv2020, ErrorObject } from 'ajv/dist/2020.js';

import { elementTypeName, elementTypeOf, PLAIN_BYTES, type JsonSchema, type ValueKind } from '../../codec/index.js';
import { FORMATS } from './formats.js';

/** Says whether a value fits; where it does not, `errors` say why until the next value. */
export interface Validate {
  (value: unknown): boolean;
  readonly errors?: readonly SchemaError[] | null;
}

export type SchemaError = ErrorObject<string, Record<string, unknown>>;

const INLINED_KEYWORDS = 16;

let ajv: Ajv2020 | undefined;

/** Loads what schemas are compiled by, which takes a while; {@link compileSchema} does it otherwise. */
export function loadCompiler(): Ajv2020 {
  return (ajv ??= createAjv());
}

/** @param schema one that `readSchema` has read, so that nothing in it refers elsewhere, is a pattern, or is without end */
export function compileSchema(schema: JsonSchema): Validate {
  const compiler = loadCompiler();
  try {
    return compiler.compile(schema) as Validate;
  } finally {
    // The compiler would keep all that it has ever seen.
    compiler.removeSchema(schema);
  }
}

function createAjv(): Ajv2020 {
  // Synchronous, since a call must not wait for it, and only where there are schemas, since it takes longer than all else.
  const module = createRequire(import.meta.url)('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  const created = new module.Ajv2020({
    strict: false,
    logger: false,
    meta: false,
    validateSchema: false,
    verbose: true,
    // A definition that is large and often referred to would else be multiplied.
    inlineRefs: INLINED_KEYWORDS,
    formats: { ...FORMATS },
  });
  created.addKeyword({
    keyword: 'x-value',
    errors: false,
    compile: (kind: ValueKind, schema) => VALUE_KIND[kind]((schema as JsonSchema)['x-elements']),
  });
  return created;
}

const VALUE_KIND: Readonly<
  Record<ValueKind, (elements: readonly string[] | undefined) => (value: unknown) => boolean>
> = {
  binary: () => isBinary,
  time: () => isTime,
  array: (elements) => (value) => isTypedArray(value, elements),
};

function isBinary(value: unknown): boolean {
  if (ArrayBuffer.isView(value)) return elementTypeOf(value) === PLAIN_BYTES;
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

function isTime(value: unknown): boolean {
  return value instanceof Date;
}

function isTypedArray(value: unknown, elements: readonly string[] | undefined): boolean {
  if (!ArrayBuffer.isView(value)) return isBinary(value) && (elements === undefined || elements.includes('u1'));
  if (elements === undefined) return true;
  const code = elementTypeOf(value);
  return elements.includes(code === PLAIN_BYTES ? 'u1' : elementTypeName(code));
}
