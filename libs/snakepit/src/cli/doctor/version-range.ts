type Version = readonly [major: number, minor: number, patch: number];

/**
 * Whether a version lies in a range of the forms that package.json files here use: `^1.2.3`, `>=1.2.3`, `<1.2.3`, both by a space, and
 * alternatives by `||`. A pre-release counts as its release.
 *
 * @throws RangeError for any other form
 */
export function isInRange(version: string, range: string): boolean {
  const given = parse(version);
  return range.split('||').some((alternative) =>
    alternative
      .trim()
      .split(/\s+/)
      .every((part) => holds(given, part)),
  );
}

function holds(given: Version, part: string): boolean {
  const [, operator, bound] = /^(\^|>=|<)(\d.*)$/.exec(part) ?? [];
  if (bound === undefined) throw new RangeError(`'${part}' is no range that is known here`);
  const limit = parse(bound);
  switch (operator) {
    case '<':
      return compare(given, limit) < 0;
    case '>=':
      return compare(given, limit) >= 0;
    default:
      return compare(given, limit) >= 0 && compare(given, nextIncompatible(limit)) < 0;
  }
}

/** https://docs.npmjs.com/cli/v10/using-npm/semver: the first number that is not 0 has to stay. */
function nextIncompatible([major, minor, patch]: Version): Version {
  if (major > 0) return [major + 1, 0, 0];
  return minor > 0 ? [0, minor + 1, 0] : [0, 0, patch + 1];
}

function parse(version: string): Version {
  const [, major, minor = '0', patch = '0'] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version.trim()) ?? [];
  if (major === undefined) throw new RangeError(`'${version}' is no version`);
  return [Number(major), Number(minor), Number(patch)];
}

function compare(one: Version, other: Version): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}
