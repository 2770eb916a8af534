import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { ownPackage } from './check-node.js';
import { advice, lack, ok, type Finding, type Subject } from './finding.js';
import { isInRange } from './version-range.js';

/** What the optional packages are for. */
const PURPOSES: Readonly<Record<string, string>> = {
  '@grpc/grpc-js': 'gRPC between host and workers',
  '@nestjs/microservices': 'nestjs-snakepit/microservices',
  '@nestjs/terminus': 'nestjs-snakepit/health',
  '@opentelemetry/api': 'nestjs-snakepit/opentelemetry',
  koffi: 'faster large binary',
  'prom-client': 'nestjs-snakepit/metrics',
};

/** The packages that the project in `folder` has to bring along, and those that it may. */
export function checkPeers(folder: string, asked: ReadonlySet<Subject>): Finding[] {
  const { peerDependencies, peerDependenciesMeta } = ownPackage;
  const rows = Object.entries(peerDependencies).map(([name, range]) => {
    const isOptional = peerDependenciesMeta[name]?.optional === true;
    return { name, range, isOptional, version: installedVersion(name, folder) };
  });
  const wrong = rows.filter(({ version, range }) => version !== undefined && !isInRange(version, range));
  const missing = rows.filter(({ version, isOptional }) => version === undefined && !isOptional);
  const unused = rows.filter(({ version, isOptional }) => version === undefined && isOptional);
  const right = rows.filter((row) => row.version !== undefined && !wrong.includes(row));
  return [
    ...(right.length === 0 ? [] : [ok('packages', right.map(({ name, version }) => `${name} ${version}`).join(', '))]),
    ...wrong.map(({ name, version, range }) =>
      advice(
        'packages',
        `${name} ${version} is not ${range}, which this version was made for`,
        `npm install ${name}@${range}`,
      ),
    ),
    ...(missing.length === 0
      ? []
      : [
          missingPeers(
            missing.map(({ name, range }) => `${name}@${range}`),
            folder,
          ),
        ]),
    ...unused.map(({ name }) => unusedPeer(name, asked)),
  ];
}

function missingPeers(names: readonly string[], folder: string): Finding {
  const quoted = names.map((name) => `'${name}'`).join(' ');
  return advice('packages', `${folder} lacks what the Nest module needs: ${names.join(', ')}`, `npm install ${quoted}`);
}

function unusedPeer(name: string, asked: ReadonlySet<Subject>): Finding {
  const purpose = PURPOSES[name] ?? 'an optional part';
  const says = `${name} is not installed; it is for ${purpose}`;
  if (name === '@grpc/grpc-js' && asked.has('grpc')) return lack(true, 'packages', says, `npm install ${name}`);
  return ok('packages', says);
}

/** That of the package which a file in the folder would import. */
function installedVersion(name: string, folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { version } = JSON.parse(readFileSync(join(at, 'node_modules', name, 'package.json'), 'utf8')) as {
        readonly version: string;
      };
      return version;
    } catch {
      if (at === dirname(at)) return undefined;
    }
  }
}
