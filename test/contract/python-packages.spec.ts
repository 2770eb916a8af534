import { execFileSync } from 'node:child_process';
import { expect, inject, it } from 'vitest';

it('lets a Python process import msgpack when the provided folder is on PYTHONPATH', () => {
  const env = { ...process.env, PYTHONPATH: inject('pythonPackages') };
  const script = 'import msgpack; print(msgpack.unpackb(msgpack.packb(42)))';
  expect(execFileSync('python3', ['-c', script], { env, encoding: 'utf8' }).trim()).toBe('42');
});
