import { describeValue } from '../../core/index.js';

const NAME = /^[A-Za-z_][\w.-]*$/;

/** What is wrong with a tool's name, and what is allowed; undefined when nothing is. */
export function flawOf(name: unknown): string | undefined {
  if (typeof name === 'string' && NAME.test(name)) return undefined;
  return `${describeValue(name)} is no name of a tool; give one of letters, digits, '_', '-' and '.', which begins with a letter`;
}

/**
 * What two spellings of one name have in common: `price.of`, `price_of` and `priceOf` are one tool, so that every language can call it by
 * a name that looks right there.
 */
export function spelledAlike(name: string): string {
  return name.replaceAll(/[._-]/g, '').toLowerCase();
}
