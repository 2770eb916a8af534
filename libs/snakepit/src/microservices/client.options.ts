import { option, type OptionsInput, type OptionsResolved } from '../core/index.js';
import { PRIORITIES, type Priority } from '../pool/index.js';
import { Snakepit } from '../runtime/index.js';

const isPriority = (given: unknown): given is Priority | undefined => PRIORITIES.includes(given as Priority);

/** Every option of `SnakepitClient`. */
export const clientOptionTable = {
  snakepit: option.value((given): given is Snakepit | undefined => given instanceof Snakepit, 'a Snakepit', {
    doc: 'The pools that it reaches; needed where Nest does not find the client among the providers, or several modules of pools.',
    default: undefined,
    defaultDoc: "the application's",
  }),
  pool: option.value(
    (given): given is string | undefined => typeof given === 'string' && given !== '',
    "a pool's name",
    { doc: 'The pool that gets the messages.', default: undefined, defaultDoc: 'the default pool' },
  ),
  streams: option.strings({
    doc: 'Commands that are streams, where the workers do not tell what their commands are.',
    default: [],
  }),
  timeoutMs: option.value(
    (given): given is number | undefined => typeof given === 'number' && given > 0,
    'a number above 0, or Infinity (ms)',
    {
      doc: 'How long a call may take, queue and execution together.',
      default: undefined,
      defaultDoc: "the adapter's for the command, else the pool's",
    },
  ),
  priority: option.value(isPriority, `one of ${PRIORITIES.map((each) => `'${each}'`).join(', ')}`, {
    doc: 'Rank among waiting calls.',
    default: undefined,
    defaultDoc: "'normal'",
  }),
};

export type SnakepitClientOptions = OptionsInput<typeof clientOptionTable>;
export type ResolvedClientOptions = OptionsResolved<typeof clientOptionTable>;
