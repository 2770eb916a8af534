import { fileURLToPath } from 'node:url';

const pathOf = (name) => fileURLToPath(new URL(`../../fixtures/faults/${name}`, import.meta.url));

/** @type {readonly import('./lanes.d.mts').Lane[]} */
export const LANES = ['python', 'node'].flatMap((language) =>
  ['v1', 'v2', 'grpc'].map((protocol) => ({ name: `${language} ${protocol}`, language, protocol })),
);

/** Options of the adapter whose workers are to fail; `packages` is where Python finds what gRPC needs. */
export function workerOptions({ language, protocol }, packages, env = {}) {
  const module = pathOf(`faulty.${language === 'python' ? 'py' : 'js'}`);
  // Over TCP, so that connections can be reset; and no MessagePack, so that faults can be written by hand.
  const wire =
    protocol === 'grpc'
      ? {
          protocol: 'v2',
          transport: 'grpc',
          grpc: { listen: 'tcp' },
          ...(language === 'python' && { path: [packages] }),
        }
      : { protocol };
  return { module, ...wire, codec: 'json', env: { FAULTY_PROTOCOL: protocol, ...env } };
}

const WORKER_MEMORY = 400 * 2 ** 20;

/** Of a pool that notices soon, and that puts up with any number of deaths. */
export const POOL_OPTIONS = {
  size: 2,
  timeoutMs: 10_000,
  cancelGraceMs: 100,
  killGraceMs: 100,
  heartbeatIntervalMs: 100,
  heartbeatTimeoutMs: 1_500,
  restart: { initialDelayMs: 1, maxDelayMs: 50, windowMs: 1, budget: 1_000_000 },
  taint: { enabled: false },
  recycle: { maxRssBytes: WORKER_MEMORY, jitterPercent: 0, checkIntervalMs: 50 },
  privileges: { openFiles: 256 },
};
