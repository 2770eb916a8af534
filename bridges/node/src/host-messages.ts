import type { Pattern } from './context.js';
import type { AskHost } from './data-map.js';
import { hostErrorOf, MessageError } from './failures.js';

/** The answer to a message to the host's controllers. */
export async function sendMessage(ask: AskHost, pattern: Pattern, data: unknown): Promise<unknown> {
  try {
    // Other commands run in this worker meanwhile.
    return await ask('message.send', { pattern, data, concurrent: true });
  } catch (error) {
    const failure = hostErrorOf(error);
    throw failure === undefined ? error : new MessageError(pattern, failure);
  }
}
