import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = join(import.meta.dirname, '../../../libs/snakepit/src');

/** Packages that a room's files import, however they spell it. */
function packagesOf(room: string): Set<string> {
  const files = readdirSync(join(src, room), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const specifiers = files.flatMap((file) =>
    [...readFileSync(join(src, room, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^'.][^']*)'/g)].map(
      ([, name]) => name ?? '',
    ),
  );
  return new Set(specifiers);
}

describe('the main entry', () => {
  it.each([
    ['@nestjs/terminus', 'health'],
    ['@nestjs/microservices', 'microservices'],
    ['@opentelemetry/api', 'telemetry'],
    ['prom-client', 'metrics'],
  ])('needs no %s, which only room %s imports', (peer, room) => {
    const rooms = readdirSync(src);
    expect(rooms).toContain('nest');
    expect(rooms.filter((each) => packagesOf(each).has(peer))).toEqual([room]);
  });
});
