// What is wrong with a packed library, seen by those who install it.
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemKindInfo } from '@arethetypeswrong/core/problems';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

export const MAX_TARBALL_BYTES = 705_000;

/**
 * How TypeScript of today resolves modules. Node.js that is supported can `require` ES modules, and what knows no `exports`
 * (TypeScript's `node10`) is not supported.
 */
const RESOLUTIONS = new Set(['node16-esm', 'bundler']);

/**
 * @param {string} path of a file made by `npm pack`
 * @returns {Promise<string[]>} what is wrong, for people
 */
export async function tarballProblems(path) {
  const tarball = readFileSync(path);
  return [
    ...(tarball.length > MAX_TARBALL_BYTES ? [`it has ${tarball.length} bytes, more than ${MAX_TARBALL_BYTES}`] : []),
    ...(await publintProblems(tarball)),
    ...(await typeProblems(tarball)),
  ];
}

async function publintProblems(tarball) {
  const bytes = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, level: 'suggestion', strict: true });
  return messages.map(
    (message) => `publint ${message.type} ${message.code}: ${formatMessage(message, pkg, { color: false })}`,
  );
}

async function typeProblems(tarball) {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  if (!result.types) return ['arethetypeswrong: it has no types'];
  return result.problems
    .filter(({ resolutionKind }) => resolutionKind === undefined || RESOLUTIONS.has(resolutionKind))
    .map((problem) => `arethetypeswrong: ${problemKindInfo[problem.kind].title}: ${JSON.stringify(problem)}`);
}
