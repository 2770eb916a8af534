import { option, type OptionsInput, type OptionsResolved } from '../../core/index.js';
import { batchOptionTable, PRIORITIES, VALIDATIONS, type Priority, type Validation } from '../../pool/index.js';

const isValidation = (given: unknown): given is Validation | undefined => VALIDATIONS.includes(given as Validation);
const isPriority = (given: unknown): given is Priority | undefined => PRIORITIES.includes(given as Priority);

/** Every option of `@SnakepitCommand`. */
export const commandOptionTable = {
  pool: option.value(
    (given): given is string | undefined => typeof given === 'string' && given !== '',
    "a pool's name",
    {
      doc: 'The pool that runs the command.',
      default: undefined,
      defaultDoc: 'the default pool',
    },
  ),
  stream: option.boolean({ doc: 'The command is a stream: the method returns an Observable.', default: false }),
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
  idempotent: option.boolean({
    doc: 'The command may safely run twice, so that the call is made again when its worker dies.',
    default: false,
  }),
  validate: option.value(isValidation, `one of ${VALIDATIONS.map((each) => `'${each}'`).join(', ')}`, {
    doc: 'What of its calls is held against the types that the command declares, see [contracts](contracts.md).',
    default: undefined,
    defaultDoc: "the pool's",
  }),
  batch: option.toggle(batchOptionTable, {
    doc: "The command's calls are given to a worker several at once, unless the pool's option `batch` says otherwise.",
  }),
};

export type SnakepitCommandOptions = OptionsInput<typeof commandOptionTable>;
export type ResolvedCommandOptions = OptionsResolved<typeof commandOptionTable>;
