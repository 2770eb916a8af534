import { relative, sep } from 'node:path';

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** One that begins last runs alone while all but one CPU have nothing to do. Where nothing is known, Vitest goes by the sizes of the files. */
const LONGEST = [
  'test/demo/python-units.spec.ts',
  'test/contract/endings.spec.ts',
  'test/package/pages.spec.ts',
  'test/integration/hosts.spec.ts',
  'test/package/packed.spec.ts',
  'test/integration/python-environments.spec.ts',
  'test/conformance/bridges.spec.ts',
];

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.indexOf(relative(this.ctx.config.root, moduleId).replaceAll(sep, '/'));
      return index === -1 ? LONGEST.length : index;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- Vitest's own, which returns a new list.
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
