import type { CallId, ChannelCall } from '../channel/index.js';
import type { LogCall } from '../core/index.js';

/** `version-traceid-parentid-flags`; https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** What a log record tells of the call in whose name it was written. */
export function callFactsOf({ command, meta }: ChannelCall, id: CallId): LogCall {
  const traceId = TRACEPARENT.exec(meta?.trace?.traceparent ?? '')?.[1];
  const context = meta?.context;
  return { id, command, ...(traceId !== undefined && { traceId }), ...(context !== undefined && { context }) };
}
