import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { expect } from 'vitest';

/** What applications are served by, for `describe.each`. */
export const PLATFORMS: [string, () => AbstractHttpAdapter][] = [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
];

/** The answer's status and body, whose text has nothing of what is the log's alone. */
export async function answerOf(response: Response): Promise<[number, Record<string, unknown>]> {
  const text = await response.text();
  expect(text).not.toMatch(/Traceback|\.py/);
  return [response.status, JSON.parse(text) as Record<string, unknown>];
}
