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
  it('needs no optional peer, in any room below it', () => {
    const rooms = readdirSync(src).filter((room) => room !== 'health');
    expect(rooms).toContain('nest');
    expect(rooms.filter((room) => packagesOf(room).has('@nestjs/terminus'))).toEqual([]);
    expect(packagesOf('health')).toContain('@nestjs/terminus');
    expect(rooms.filter((room) => packagesOf(room).has('@opentelemetry/api'))).toEqual(['telemetry']);
  });

  it('does not load prom-client, which is for those who ask for metrics', () => {
    const rooms = readdirSync(src).filter((room) => packagesOf(room).has('prom-client'));
    expect(rooms).toEqual(['metrics']);
  });
});
