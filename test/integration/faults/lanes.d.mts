import type { PoolOptions } from 'nestjs-snakepit/core';

/** A language and a protocol that faults are tried with. */
export interface Lane {
  readonly name: LaneName;
  readonly language: 'python' | 'node';
  readonly protocol: 'v1' | 'v2' | 'grpc';
}

export type LaneName = `${'python' | 'node'} ${'v1' | 'v2' | 'grpc'}`;

export declare const LANES: readonly Lane[];
export declare function workerOptions(
  lane: Lane,
  packages: string,
  env?: Readonly<Record<string, string>>,
): { readonly module: string };
export declare const POOL_OPTIONS: Omit<PoolOptions, 'adapter'>;
