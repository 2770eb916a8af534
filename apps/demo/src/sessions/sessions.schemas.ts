import { z } from 'zod';

export const nameSchema = z.string().min(1).max(100);

export const createSchema = z
  .object({
    metadata: z
      .record(z.string(), z.json())
      .default({})
      .meta({ example: { user: 'ada' } }),
    ttlMs: z.number().int().min(1_000).max(86_400_000).optional().describe('Milliseconds without access'),
  })
  .prefault({});
export type CreateRequest = z.infer<typeof createSchema>;

export const countSchema = z.object({ by: z.number().default(1).meta({ example: 2 }) }).prefault({});
export type CountRequest = z.infer<typeof countSchema>;

export const programSchema = z.object({
  source: z.string().min(1).max(10_000).meta({ example: 'price * (1 + rate / 100)' }),
});
export type ProgramRequest = z.infer<typeof programSchema>;

export const runSchema = z
  .object({
    args: z
      .record(z.string(), z.number())
      .default({})
      .meta({ example: { price: 80, rate: 25 } }),
  })
  .prefault({});
export type RunRequest = z.infer<typeof runSchema>;
