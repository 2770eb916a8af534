import { option, type OptionsInput, type OptionsResolved } from '../../core/index.js';
import { commandOptionTable } from '../commands/command.options.js';

const { pool, timeoutMs, priority } = commandOptionTable;

/** Every option of `@PoolClient`; those of a call are for all of its commands that say nothing else. */
export const poolClientOptionTable = { pool, timeoutMs, priority };

/** Every option of `@PoolCommand`. */
export const poolCommandOptionTable = {
  stream: option.boolean({ doc: 'The command is a stream: the member returns an Observable.', default: false }),
  session: option.boolean({
    doc: "The command runs in a session, whose id is the member's first parameter.",
    default: false,
  }),
  timeoutMs: { ...timeoutMs, default: { value: undefined, doc: "the client's" } },
  priority: { ...priority, default: { value: undefined, doc: "the client's" } },
  idempotent: commandOptionTable.idempotent,
  validate: commandOptionTable.validate,
};

export type PoolClientOptions = OptionsInput<typeof poolClientOptionTable>;
export type ResolvedClientOptions = OptionsResolved<typeof poolClientOptionTable>;
export type PoolCommandOptions = OptionsInput<typeof poolCommandOptionTable>;
export type ResolvedMemberOptions = OptionsResolved<typeof poolCommandOptionTable>;
