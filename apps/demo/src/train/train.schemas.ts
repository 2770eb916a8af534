import { z } from 'zod';

export const trainSchema = z.object({
  epochs: z.number().int().min(1).max(200).default(12).meta({ example: 5 }),
  hidden: z.number().int().min(1).max(256).default(32).describe('Neurons of the hidden layer').meta({ example: 32 }),
  learningRate: z.number().positive().max(10).default(0.08).meta({ example: 0.08 }),
  seed: z.number().int().default(7).meta({ example: 7 }),
  coordinator: z
    .enum(['host', 'worker'])
    .default('host')
    .describe('Who hands out the shards: this application, or a command that asks it to by a tool'),
});
export type TrainRequest = z.infer<typeof trainSchema>;

/** Everything has a default, the body too. */
export const trainBodySchema = trainSchema.prefault({});
