import { delimiter } from 'node:path';

import { hostMark } from './host-mark.js';
import { isGrpcBridge, type LaunchSpec } from './launch-spec.js';
import { limitNumericThreads } from './numeric-threads.js';

/**
 * The host's variables that workers get without being asked for: what programs need to find their files, their user and
 * their language. Everything else the host knows, its secrets first of all, stays with the host.
 */
export const INHERITED_VARIABLES = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
] as const;

/** Names a worker for good, within all there ever were, to whatever it starts; as long as any other. */
export const WORKER_MARK = 'SNAKEPIT_WORKER_MARK';

const MARK_DIGITS = 8;
let marks = 0;

export interface EnvironmentParts {
  /** Without a protocol it is of a worker that has no process, and needs to find no descriptor. */
  readonly spec: Pick<LaunchSpec, 'env' | 'searchPaths'> & Partial<Pick<LaunchSpec, 'protocol' | 'grpc'>>;
  readonly hostEnv: NodeJS.ProcessEnv;
  /** Further names of the host's variables to pass on. */
  readonly inherit: readonly string[];
  /** Given by the user for this pool; wins over everything but the protocol's own variables. */
  readonly given: Readonly<Record<string, string>>;
  readonly pool: string;
  readonly worker: string;
  readonly instance: string;
  /** How many threads numeric libraries may use, where the variables above say nothing of it; default 0, as many as they like. */
  readonly numericThreads?: number;
}

/** The complete environment of one worker. */
export function workerEnvironment(parts: EnvironmentParts): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of [...INHERITED_VARIABLES, ...parts.inherit]) {
    const value = parts.hostEnv[name];
    if (value !== undefined) env[name] = value;
  }
  const { spec } = parts;
  Object.assign(env, spec.env, parts.given);
  limitNumericThreads(env, parts.numericThreads ?? 0);
  for (const [name, folders] of Object.entries(spec.searchPaths ?? {})) {
    env[name] = [...folders, ...(env[name] ? [env[name]] : [])].join(delimiter);
  }
  const host = hostMark();
  const protocol = spec.grpc === undefined || isGrpcBridge(spec) ? spec.protocol : 'grpc';
  return {
    ...env,
    ...(protocol !== undefined && { SNAKEPIT_PROTOCOL: protocol }),
    ...(spec.protocol === 'v2' && { SNAKEPIT_FD: '3' }),
    SNAKEPIT_WORKER_ID: parts.worker,
    SNAKEPIT_POOL: parts.pool,
    SNAKEPIT_INSTANCE: parts.instance,
    [WORKER_MARK]: newMark(parts.instance),
    ...(host !== undefined && { SNAKEPIT_HOST: host }),
  };
}

/** The environment of another process in the place of one that is gone, whose mark is being swept. */
export function withFreshMark(env: Readonly<Record<string, string>>): Record<string, string> {
  return { ...env, [WORKER_MARK]: newMark(env['SNAKEPIT_INSTANCE'] ?? '') };
}

/** A child of a zygote writes its mark over that of the zygote, so their lengths are the same. */
function newMark(instance: string): string {
  marks += 1;
  return `${instance}-${marks.toString(16).padStart(MARK_DIGITS, '0')}`;
}
