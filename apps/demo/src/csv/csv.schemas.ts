import { z } from 'zod';

const file = z
  .string()
  .min(1)
  .describe('Name of a shipped file; left out with an upload')
  .meta({ example: 'airports.csv' });
const delimiter = z
  .string()
  .length(1)
  .regex(/[^"\r\n\0]/, 'must be one character, and no quote or line end')
  .describe('Found out when left out');
const flag = z.stringbool().or(z.boolean()).describe('Found out when left out');

/** Taken from the query, and from the body, whose fields count more. */
export const profileSchema = z.object({
  file: file.optional(),
  delimiter: delimiter.optional(),
  header: flag.optional(),
  top: z.coerce.number().int().min(0).max(100).optional().describe('How many of the most frequent values'),
});
export type ProfileRequest = z.infer<typeof profileSchema>;

export const aggregateSchema = z.object({
  file: file.optional(),
  column: z.string().min(1).meta({ example: 'state' }),
  operation: z.enum(['count', 'sum', 'mean', 'min', 'max']).default('count'),
  valueColumn: z.string().min(1).optional().describe('For all operations but count').meta({ example: 'latitude' }),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type AggregateRequest = z.infer<typeof aggregateSchema>;

/** A body that is not JSON (or no body at all) has no fields. */
export const profileBodySchema = profileSchema.optional().transform((body) => body ?? {});
