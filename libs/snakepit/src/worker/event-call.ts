import type { ChannelCall } from '../channel/index.js';
import type { EventCall } from '../core/index.js';

/** What those who hear a worker's event are told of the call that it belongs to. */
export function eventCallOf(call: ChannelCall | undefined): EventCall | undefined {
  if (call === undefined) return undefined;
  const { command, meta } = call;
  return { command, session: meta?.session, trace: meta?.trace, context: meta?.context };
}
