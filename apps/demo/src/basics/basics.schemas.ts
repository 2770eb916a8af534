import { z } from 'zod';

export const echoSchema = z.unknown().meta({ example: { hello: 'world', list: [1, 2.5, null] } });

export const computeSchema = z.object({
  operation: z.enum(['add', 'subtract', 'multiply', 'divide', 'power', 'sqrt']).meta({ example: 'divide' }),
  a: z.number().meta({ example: 22 }),
  b: z.number().default(0).describe('Not used by sqrt').meta({ example: 7 }),
});
export type ComputeRequest = z.infer<typeof computeSchema>;

export const randomSchema = z.object({
  n: z.coerce.number().int().min(1).max(100_000).default(1).meta({ example: 3 }),
  seed: z.coerce.number().int().optional().describe('The same seed gives the same numbers').meta({ example: 7 }),
});
export type RandomRequest = z.infer<typeof randomSchema>;
