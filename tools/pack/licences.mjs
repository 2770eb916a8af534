// Whether whatever an installation brings along may be used and passed on.

/** SPDX names of licences that ask for no more than a notice. */
const ALLOWED = new Set([
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Unlicense',
]);

/**
 * Every package that `npm install` of a workspace brings along, by the lock file; peers are those of the application and left out.
 *
 * @param {{ packages: Record<string, { version?: string, license?: string, dependencies?: object, optionalDependencies?: object }> }} lock
 * @param {string} workspace such as `libs/snakepit`
 * @returns {{ name: string, version: string, licence: string | undefined, isAllowed: boolean }[]}
 */
export function installedLicences(lock, workspace) {
  const found = new Map();
  const visit = (path) => {
    const { dependencies = {}, optionalDependencies = {} } = lock.packages[path];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = placeOf(lock, path, name);
      if (place === undefined)
        throw new Error(`package-lock.json does not say where ${path} finds ${name}; run npm install`);
      if (found.has(place)) continue;
      const { version, license } = lock.packages[place];
      found.set(place, { name, version, licence: license, isAllowed: isAllowed(license) });
      visit(place);
    }
  };
  visit(workspace);
  return [...found.values()].toSorted((one, other) => one.name.localeCompare(other.name));
}

/** An SPDX expression: all of what AND joins has to be allowed, one of what OR joins. */
export function isAllowed(expression) {
  if (typeof expression !== 'string' || expression === '') return false;
  const plain = expression.replaceAll(/[()]/g, ' ').trim();
  return plain.split(/\s+OR\s+/).some((choice) => choice.split(/\s+AND\s+/).every((name) => ALLOWED.has(name.trim())));
}

/** As Node.js looks for it: in the folder itself, then in those above. */
function placeOf({ packages }, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (place in packages) return place;
    if (at === '') return undefined;
  }
}
