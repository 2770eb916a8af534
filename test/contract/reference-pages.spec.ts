import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { ERRORS, poolOptionTable, type ErrorCode } from 'nestjs-snakepit/core';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('keeps the reference pages as the tables say', () => {
  expect(() => execFileSync('node', ['tools/options-reference.mjs', '--check'], { cwd: root })).not.toThrow();
});

it('names every option of a pool and every error', () => {
  const options = readFileSync(`${root}docs/options.md`, 'utf8');
  const errors = readFileSync(`${root}docs/errors.md`, 'utf8');
  for (const name of Object.keys(poolOptionTable)) expect(options).toContain(`\`${name}\``);
  for (const code of Object.keys(ERRORS)) expect(errors).toContain(`### ${code}`);
});

it('has the protocol name the gRPC statuses of the table of errors', () => {
  const protocol = readFileSync(`${root}proto/PROTOCOL.md`, 'utf8');
  const rows = [...protocol.matchAll(/^\| `([A-Z_]+)` +\| [A-Z_]+ +\| (\d+) +\|$/gm)];
  expect(rows).toHaveLength(7);
  for (const [, code, status] of rows)
    expect([code, ERRORS[code as ErrorCode].grpcStatus]).toEqual([code, Number(status)]);
});
