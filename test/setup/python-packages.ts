import type { TestProject } from 'vitest/node';

import { pythonPackages } from '../../tools/python-packages.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder for PYTHONPATH with the optional packages of Python workers; leave it off to test without them. */
    pythonPackages: string;
  }
}

/** gRPC is pinned to releases that have wheels for every Python from 3.9 to 3.13. */
const REQUIREMENTS = [
  'msgpack',
  'numpy',
  'grpcio==1.76.0',
  'grpcio-health-checking==1.76.0',
  'grpcio-reflection==1.76.0',
  'protobuf==6.33.6',
];

export default function setup(project: TestProject): void {
  project.provide('pythonPackages', pythonPackages('snakepit-python', REQUIREMENTS));
}
