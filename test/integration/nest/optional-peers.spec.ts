import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
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
  });

  it('does not load prom-client, which is for those who ask for metrics', () => {
    const rooms = readdirSync(src).filter((room) => packagesOf(room).has('prom-client'));
    expect(rooms).toEqual(['metrics']);
  });
});

describe('the metrics without Nest', () => {
  it('load in a plain script without a single module of Nest', () => {
    const script = `
      const { collectMetrics } = await import('nestjs-snakepit/core/metrics');
      const { Snakepit, python } = await import('nestjs-snakepit/core');
      const metrics = collectMetrics(new Snakepit(python({ module: 'x.py' })));
      const text = await metrics.metrics();
      process.stdout.write(text);
      process.exit(0);
    `;
    const hide =
      "--import=data:text/javascript,import{register}from'node:module';register('data:text/javascript,'+encodeURIComponent(`export async function resolve(s,c,n){if(s.startsWith('@nestjs/'))throw new Error('Nest was loaded');return n(s,c)}`))";
    const text = execFileSync('node', [hide, '--input-type=module', '--eval', script], { cwd: root, encoding: 'utf8' });
    expect(text).toContain('# TYPE snakepit_calls_total counter');
  });
});
