import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

import { COMBINATIONS } from '../support/combinations.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Names of all tests of the contract, as vitest collects them. */
function testNames(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'contract-names-'));
  const file = join(folder, 'names.json');
  try {
    execFileSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'list', `--json=${file}`, 'test/contract/'], {
      cwd: root,
      stdio: 'ignore',
    });
    return (JSON.parse(readFileSync(file, 'utf8')) as Array<{ name: string }>).map(({ name }) => name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

it('is the same for v2 over gRPC as over a descriptor: as many cases of the same names', { timeout: 120_000 }, () => {
  const names = testNames();
  const casesOf = (combination: string): string[] =>
    names.filter((name) => name.includes(`'${combination}'`)).map((name) => name.replaceAll(combination, ''));
  for (const { name, protocol } of COMBINATIONS.filter((each) => each.protocol === 'grpc')) {
    const [overGrpc, overFd] = [casesOf(name), casesOf(name.replace(protocol, 'v2'))];
    expect(overFd.length).toBeGreaterThan(200);
    expect(overGrpc).toEqual(overFd);
    console.log(`contract cases: ${overFd.length} over v2, ${overGrpc.length} over gRPC (${name})`);
  }
});
