/**
 * Variables by which a host and its processes know each other (proto/PROTOCOL.md). An application that was itself started by a
 * worker has some of them.
 */
export const RESERVED_VARIABLES: ReadonlySet<string> = new Set([
  'SNAKEPIT_ARENA_FD',
  'SNAKEPIT_DOOR',
  'SNAKEPIT_FD',
  'SNAKEPIT_FOLDER',
  'SNAKEPIT_GUARDIAN',
  'SNAKEPIT_HOST',
  'SNAKEPIT_INSTANCE',
  'SNAKEPIT_POOL',
  'SNAKEPIT_PROTOCOL',
  'SNAKEPIT_STACKS_FD',
  'SNAKEPIT_WORKER_ID',
  'SNAKEPIT_WORKER_MARK',
]);
