import { describe, expect, it } from 'vitest';

import type { LaunchSpec } from './launch-spec.js';
import { INHERITED_VARIABLES, workerEnvironment } from './worker-environment.js';

const spec: LaunchSpec = { language: 'x', executable: 'x', args: [], env: {}, protocol: 'v2', codec: 'auto' };
const parts = { spec, hostEnv: {}, inherit: [], given: {}, pool: 'p', worker: 'p-1', instance: 'i' };

describe('workerEnvironment', () => {
  it('lets through what programs need and none of the host’s secrets', () => {
    const wanted = Object.fromEntries(INHERITED_VARIABLES.map((name) => [name, `its ${name}`]));
    const secrets = {
      AWS_SECRET_ACCESS_KEY: 's',
      DATABASE_URL: 's',
      NPM_TOKEN: 's',
      NODE_OPTIONS: 's',
      PYTHONPATH: 's',
      LD_PRELOAD: 's',
      SSH_AUTH_SOCK: 's',
      path: 's',
    };
    const env = workerEnvironment({ ...parts, hostEnv: { ...wanted, ...secrets } });
    expect(env).toMatchObject(wanted);
    expect(Object.values(env)).not.toContain('s');
  });

  it('leaves out what the host does not have', () => {
    expect(Object.keys(workerEnvironment(parts)).every((name) => name.startsWith('SNAKEPIT_'))).toBe(true);
  });

  it('passes on further variables by name', () => {
    const env = workerEnvironment({
      ...parts,
      hostEnv: { CUDA_HOME: '/cuda', OTHER: 'x' },
      inherit: ['CUDA_HOME', 'MISSING'],
    });
    expect(env).toMatchObject({ CUDA_HOME: '/cuda' });
    expect(env).not.toHaveProperty('OTHER');
    expect(env).not.toHaveProperty('MISSING');
  });

  it('prefers the pool’s variables to the adapter’s, those to the host’s, and the protocol’s to all', () => {
    const env = workerEnvironment({
      ...parts,
      hostEnv: { LANG: 'host', TZ: 'host', HOME: 'host' },
      spec: { ...spec, env: { LANG: 'adapter', TZ: 'adapter' } },
      given: { TZ: 'pool', SNAKEPIT_FD: '9', SNAKEPIT_WORKER_ID: 'fake' },
    });
    expect(env).toMatchObject({
      HOME: 'host',
      LANG: 'adapter',
      TZ: 'pool',
      SNAKEPIT_FD: '3',
      SNAKEPIT_WORKER_ID: 'p-1',
    });
  });

  it('names descriptor, pool, worker and instance as the protocol prescribes', () => {
    expect(workerEnvironment(parts)).toEqual({
      SNAKEPIT_PROTOCOL: 'v2',
      SNAKEPIT_FD: '3',
      SNAKEPIT_WORKER_ID: 'p-1',
      SNAKEPIT_POOL: 'p',
      SNAKEPIT_INSTANCE: 'i',
      SNAKEPIT_WORKER_MARK: expect.stringMatching(/^i-[0-9a-f]{8}$/) as string,
      ...(process.platform === 'linux' && {
        SNAKEPIT_HOST: expect.stringMatching(`^${process.pid}(\\.\\d+){3}$`) as string,
      }),
    });
    expect(workerEnvironment({ ...parts, spec: { ...spec, protocol: 'v1' } })).not.toHaveProperty('SNAKEPIT_FD');
  });

  it('marks every worker differently', () => {
    const [one, two] = [workerEnvironment(parts), workerEnvironment(parts)].map((env) => env['SNAKEPIT_WORKER_MARK']);
    expect(one).not.toBe(two);
  });
});
