import { execFileSync } from 'node:child_process';
import { delimiter } from 'node:path';

import type { TestProject } from 'vitest/node';

import { bridgePackages } from '../../tools/python-packages.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for PYTHONPATH with the optional packages of Python workers; leave it off to test without them. */
    pythonPackages: string;
  }
}

export default function setup(project: TestProject): void {
  process.env['PATH'] = `${pythonFolder()}${delimiter}${process.env['PATH']}`;
  project.provide('pythonPackages', bridgePackages());
}

/** Version managers put a script in the interpreter's place, which looks for it at each of the hundreds of times that it is started. */
function pythonFolder(): string {
  const script = 'import os, sys; print(os.path.dirname(sys.executable))';
  return execFileSync('python3', ['-c', script], { encoding: 'utf8' }).trim();
}
