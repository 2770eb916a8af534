import { isPlainObject, SnakepitError } from '../core/index.js';
import type { SessionService } from '../session/index.js';
import type { ExecuteOptions, PoolService } from './pool-service.js';

export const PROGRAM_COMMANDS = [
  'create_program',
  'execute_program',
  'get_program',
  'list_programs',
  'delete_program',
] as const;
export type ProgramCommand = (typeof PROGRAM_COMMANDS)[number];

export interface ProgramCommandParts {
  readonly pool: PoolService;
  readonly sessions: SessionService;
  readonly session: string;
  readonly command: ProgramCommand;
  /** `id` names the program; for create and execute everything else goes to the worker as it is. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly options?: ExecuteOptions;
}

/**
 * Runs a command about a stored program of a session, as the ancestor's session helper does.
 *
 * `create_program` runs the worker's command of that name and stores its result under `args.id`; `execute_program` hands the
 * stored program to the worker's command as `program`; `get_program`, `list_programs` and `delete_program` are answered from the
 * store.
 *
 * @throws SnakepitError INVALID_ARGUMENTS without an `id`, SESSION_NOT_FOUND, and all that the calls throw
 */
export async function executeProgramCommand(parts: ProgramCommandParts): Promise<unknown> {
  const { pool, sessions, session, command, args, options = {} } = parts;
  switch (command) {
    case 'create_program': {
      const id = programId(command, args);
      const program = await pool.executeInSession(session, command, args, options);
      await sessions.storeProgram(session, id, program);
      return { id, program };
    }
    case 'execute_program': {
      const program = await sessions.getProgram(session, programId(command, args));
      return pool.executeInSession(session, command, { ...args, program }, options);
    }
    case 'get_program':
      return sessions.getProgram(session, programId(command, args));
    case 'list_programs':
      return sessions.listPrograms(session);
    case 'delete_program':
      return sessions.deleteProgram(session, programId(command, args));
  }
}

function programId(command: ProgramCommand, args: unknown): string {
  if (isPlainObject(args) && typeof args['id'] === 'string' && args['id'] !== '') return args['id'];
  throw new SnakepitError('INVALID_ARGUMENTS', {
    command,
    path: 'args.id',
    reason: `args.id: a program's name is needed`,
  });
}
