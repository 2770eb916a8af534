import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the tests of the R SDK pass, the golden vectors among them', () => {
  const tests = fileURLToPath(new URL('../../bridges/r/tests/run.R', import.meta.url));
  const [, count] = /^(\d+) tests passed$/m.exec(execFileSync('Rscript', [tests], { encoding: 'utf8' }))!;
  expect(Number(count)).toBeGreaterThan(200);
});
