import { z } from 'zod';

export const PIXELS = 64;
const MAX_PIXEL = 16;

/** The handwritten zero that comes first in the data set, for the examples. */
export const ZERO = [
  [0, 0, 5, 13, 9, 1, 0, 0],
  [0, 0, 13, 15, 10, 15, 5, 0],
  [0, 3, 15, 2, 0, 11, 8, 0],
  [0, 4, 12, 0, 0, 8, 8, 0],
  [0, 5, 8, 0, 0, 9, 8, 0],
  [0, 4, 11, 0, 1, 12, 7, 0],
  [0, 2, 14, 5, 10, 12, 0, 0],
  [0, 0, 6, 13, 10, 0, 0, 0],
].flat();

export const image = z
  .array(z.number().min(0).max(MAX_PIXEL))
  .length(PIXELS)
  .describe('8 rows of 8 pixels, 0 (paper) to 16 (ink)');

export const classifySchema = z.object({
  images: z
    .array(image)
    .min(1)
    .max(1_000)
    .meta({ example: [ZERO] }),
});
export type ClassifyRequest = z.infer<typeof classifySchema>;

export const sampleSchema = z.object({
  count: z.coerce.number().int().min(1).max(359).default(1).meta({ example: 1 }),
  seed: z.coerce.number().int().optional().describe('The same seed gives the same images'),
});
export type SampleRequest = z.infer<typeof sampleSchema>;
