import { delimiter } from 'node:path';

import type { TestProject } from 'vitest/node';

import { bridgePackages, pythonFolder } from '../../tools/python-packages.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for PYTHONPATH with the optional packages of Python workers; leave it off to test without them. */
    pythonPackages: string;
  }
}

export default function setup(project: TestProject): void {
  // Version managers put a script in its place, which looks for it at each of the hundreds of times that it is started.
  process.env['PATH'] = `${pythonFolder()}${delimiter}${process.env['PATH']}`;
  project.provide('pythonPackages', bridgePackages());
}
