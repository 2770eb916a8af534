import { provideRuntimes } from '../../tools/runtimes.mjs';

/** Once for the whole run, before the first test. */
export default function setup(): void {
  provideRuntimes(['ruby', 'r', 'go', 'perl']);
}
