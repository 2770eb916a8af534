import type { TestProject } from 'vitest/node';

import { bridgePackages } from '../../tools/python-packages.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for PYTHONPATH with the optional packages of Python workers; leave it off to test without them. */
    pythonPackages: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide('pythonPackages', bridgePackages());
}
