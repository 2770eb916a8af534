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
  ])('needs no %s, in any room below it', (peer, room) => {
    const others = readdirSync(src).filter((each) => each !== room);
    expect(others).toContain('nest');
    expect(others.filter((each) => packagesOf(each).has(peer))).toEqual([]);
    expect(packagesOf(room)).toContain(peer);
  });
});
