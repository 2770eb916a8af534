import { option, type OptionsInput, type OptionsResolved } from '../core/index.js';
import { commandOptionTable } from '../nest/commands/command.options.js';
import { Snakepit } from '../runtime/index.js';

const { pool, timeoutMs, priority } = commandOptionTable;

/** Every option of `SnakepitClient`. */
export const clientOptionTable = {
  snakepit: option.value((given): given is Snakepit | undefined => given instanceof Snakepit, 'a Snakepit', {
    doc: 'The pools that it reaches; needed where Nest does not find the client among the providers, or several modules of pools.',
    default: undefined,
    defaultDoc: "the application's",
  }),
  pool: { ...pool, doc: 'The pool that gets the messages.' },
  streams: option.strings({
    doc: 'Commands that are streams, where the workers do not tell what their commands are.',
    default: [],
  }),
  timeoutMs,
  priority,
};

export type SnakepitClientOptions = OptionsInput<typeof clientOptionTable>;
export type ResolvedClientOptions = OptionsResolved<typeof clientOptionTable>;
