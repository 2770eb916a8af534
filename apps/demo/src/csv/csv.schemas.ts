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

/** For the page of the API: in a form it is the file itself, which never reaches this schema. */
const fileOrUpload = file.optional().meta({
  format: 'binary',
  description: 'In a form, the CSV itself; in JSON, the name of a shipped file',
  example: 'airports.csv',
});

/** Taken from the query, and from the body, whose fields count more. */
export const profileSchema = z.object({
  file: file.optional(),
  delimiter: delimiter.optional(),
  header: flag.optional(),
  top: z.coerce.number().int().min(0).max(100).optional().describe('How many of the most frequent values'),
});
/** A request without a body has a query. */
export const profileBodySchema = profileSchema.extend({ file: fileOrUpload }).prefault({});
export type ProfileRequest = z.infer<typeof profileSchema>;

export const aggregateSchema = z.object({
  file: fileOrUpload,
  column: z.string().min(1).meta({ example: 'state' }),
  operation: z.enum(['count', 'sum', 'mean', 'min', 'max']).default('count'),
  valueColumn: z.string().min(1).optional().describe('For all operations but count').meta({ example: 'latitude' }),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type AggregateRequest = z.infer<typeof aggregateSchema>;
