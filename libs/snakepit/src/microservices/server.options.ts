import { option, type OptionsInput } from '../core/index.js';

/** Every option of `SnakepitServer`. */
export const serverOptionTable = {
  pools: option.value(
    (given): given is readonly string[] | undefined =>
      Array.isArray(given) && given.length > 0 && given.every((name) => typeof name === 'string' && name !== ''),
    "a list of pools' names",
    {
      doc: 'The pools whose workers may send messages, and whose events are heard.',
      default: undefined,
      defaultDoc: 'all pools',
    },
  ),
};

export type SnakepitServerOptions = OptionsInput<typeof serverOptionTable>;
