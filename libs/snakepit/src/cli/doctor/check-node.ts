import { createRequire } from 'node:module';

import { ok, problem, type Finding } from './finding.js';
import { isInRange } from './version-range.js';

interface PackageFacts {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

/** The package.json of this library. */
export const ownPackage = createRequire(import.meta.url)('nestjs-snakepit/package.json') as PackageFacts;

const SUPPORTED_PLATFORMS = new Set(['linux', 'darwin']);

export function checkNode(): Finding[] {
  return [platform(), version()];
}

function platform(): Finding {
  const says = `${process.platform} ${process.arch}`;
  if (SUPPORTED_PLATFORMS.has(process.platform)) return ok('system', says);
  return problem('system', `${says}: workers need Linux or macOS`, 'Use a container or WSL 2.');
}

function version(): Finding {
  const { node } = ownPackage.engines;
  const says = `Node.js ${process.versions.node}, nestjs-snakepit ${ownPackage.version}`;
  if (isInRange(process.version, node)) return ok('Node.js', says);
  return problem('Node.js', `${says}, which needs ${node}`, `Install Node.js ${node}.`);
}
