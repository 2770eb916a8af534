import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';

import { LOG_FOLDER } from './paths.js';

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** The environment variables that the demo reads. */
const settingsSchema = z.object({
  /** The address to listen on; 0.0.0.0 serves other machines too. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  PORT: wholeNumber(0, 65_535).default(3000),
  /** How the pools talk with their workers. */
  SNAKEPIT_TRANSPORT: z.enum(['fd', 'grpc']).default('fd'),
  /** What serves HTTP. */
  SNAKEPIT_HTTP: z.enum(['express', 'fastify']).default('express'),
  /** Workers of the Python pool that computes. */
  DEMO_WORKERS: wholeNumber(2, 256).default(Math.max(2, availableParallelism())),
  /** `json` writes the log as lines of JSON. */
  LOG_FORMAT: z.enum(['text', 'json']).default('text'),
  /** The folder whose files may be followed. */
  DEMO_LOGS: z
    .string()
    .min(1)
    .default(LOG_FOLDER)
    .transform((path) => resolve(path)),
});

export type Settings = z.infer<typeof settingsSchema>;

/** @throws Error that names each variable which cannot be right. */
export function readSettings(environment: Record<string, unknown>): Settings {
  const result = settingsSchema.safeParse(environment);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `  ${name} is '${String(environment[name])}': ${issue.message}`;
  });
  throw new Error(`The environment is not right:\n${problems.join('\n')}`);
}
