// Who may import whom. `npm run lint` holds every source file to this table.

const NEST = ['@nestjs/*', 'reflect-metadata', 'rxjs'];
const UP_TO_RUNTIME = ['core', 'codec', 'channel', 'worker', 'session', 'pool', 'adapters', 'runtime'];

/**
 * Packages that the rooms share out among themselves: a room may import only those that its
 * `frameworks` name. Any other npm package or Node built-in is free for all.
 */
export const frameworks = NEST;

/**
 * The rooms of the library, lowest first.
 *
 * - `imports`: rooms (`codec`) or single files (`nest/tokens`) that the room may import;
 * - `types`: the same, for `import type` only;
 * - `frameworks`: which of the framework packages the room may import.
 */
export const rooms = {
  core: { imports: [] },
  codec: { imports: ['core'] },
  channel: { imports: ['codec', 'core'] },
  session: { imports: ['core'] },
  worker: { imports: ['channel', 'codec', 'core'] },
  adapters: { imports: ['core'], types: ['worker/launch-spec'] },
  pool: { imports: ['worker', 'channel', 'codec', 'core'] },
  runtime: { imports: UP_TO_RUNTIME, frameworks: ['rxjs'] },
  nest: { imports: UP_TO_RUNTIME, frameworks: NEST },
  telemetry: { imports: [...UP_TO_RUNTIME, 'nest'], frameworks: NEST },
  microservices: { imports: [...UP_TO_RUNTIME, 'nest'], frameworks: NEST },
  health: { imports: [...UP_TO_RUNTIME, 'nest'], frameworks: NEST },
  metrics: { imports: [...UP_TO_RUNTIME, 'telemetry'], frameworks: NEST },
  conformance: { imports: ['worker', 'channel', 'codec', 'core'] },
  cli: { imports: [...UP_TO_RUNTIME, 'nest/tokens', 'conformance'], frameworks: NEST },
  testing: { imports: [...UP_TO_RUNTIME, 'nest'], frameworks: NEST },
};

/** The folder whose subfolders are the rooms above. */
export const roomsDir = 'libs/snakepit/src';

/**
 * Workspace packages. Relative imports stay inside the package; of the other packages here a file may
 * import only the specifiers that `workspace` names (`*` ends a prefix).
 */
export const packages = {
  'libs/snakepit': { workspace: [] },
  'bridges/node': { workspace: ['nestjs-snakepit/codec', 'nestjs-snakepit/codec/grpc'] },
  'apps/demo': { workspace: ['nestjs-snakepit', 'nestjs-snakepit/*'] },
};

/** Names that the workspace packages are imported by. */
export const workspaceNames = ['nestjs-snakepit', 'snakepit-bridge', 'snakepit-demo'];
