import { option, type OptionsInput, type OptionsResolved } from '../../core/index.js';

/** Every option of `@SnakepitTool`. */
export const toolOptionTable = {
  pools: option.value(
    (given): given is readonly string[] | undefined =>
      Array.isArray(given) && given.every((name) => typeof name === 'string' && name !== ''),
    "a list of pools' names",
    {
      doc: 'The pools whose workers may call it; those whose own option `tools` leaves it out may not in any case.',
      default: undefined,
      defaultDoc: 'all pools',
    },
  ),
};

export type SnakepitToolOptions = OptionsInput<typeof toolOptionTable>;
export type ResolvedToolOptions = OptionsResolved<typeof toolOptionTable>;
