import { readSchema, type JsonSchema } from 'nestjs-snakepit/codec';

const TARGET = 'draft-2020-12';

/** What libraries of schemas have in common that can say theirs in JSON Schema: https://standardschema.dev/json-schema */
export interface StandardJsonSchema {
  readonly '~standard': {
    readonly jsonSchema: Readonly<Record<'input' | 'output', (options: { target: string }) => Record<string, unknown>>>;
  };
}

/** JSON Schema, or something that can say itself in it, such as a schema of zod 4.2. */
export type DeclaredSchema = JsonSchema | StandardJsonSchema;

/** @throws Error naming file, command and what is wrong */
export function declaredSchema(
  declared: DeclaredSchema | undefined,
  side: 'input' | 'output',
  what: string,
): JsonSchema | undefined {
  if (declared === undefined) return undefined;
  const standard = (declared as Partial<StandardJsonSchema>)['~standard'];
  if (standard === undefined) return readSchema(declared, what);
  const { jsonSchema } = standard;
  if (typeof jsonSchema?.[side] !== 'function') {
    throw new Error(`${what} cannot say itself in JSON Schema (it has no '~standard'.jsonSchema); give JSON Schema`);
  }
  return readSchema(jsonSchema[side]({ target: TARGET }), what);
}
