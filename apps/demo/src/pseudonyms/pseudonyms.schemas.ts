import { z } from 'zod';

export const pseudonymsSchema = z.object({
  values: z
    .array(z.string().min(1).max(1_000))
    .min(1)
    .max(1_000)
    .meta({ example: ['ada@example.org', 'alan@example.org'] }),
});
export type PseudonymsRequest = z.infer<typeof pseudonymsSchema>;
