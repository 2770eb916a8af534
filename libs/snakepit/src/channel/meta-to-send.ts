import type { CallMeta, TraceContext } from './channel.js';

/** Where a traceparent has the last of its flags; https://www.w3.org/TR/trace-context/#trace-flags */
const SAMPLED_DIGIT = 54;

/** What a worker has to be told: a command that takes no context sees nothing of a trace, and one that is not sampled is recorded nowhere. */
export function metaToSend(meta: CallMeta | undefined, takesContext: boolean): CallMeta | undefined {
  if (takesContext || meta?.trace === undefined || isSampled(meta.trace)) return meta;
  const isAll = meta.session === undefined && meta.context === undefined && meta.batch === undefined;
  return isAll ? undefined : meta;
}

function isSampled({ traceparent }: TraceContext): boolean {
  return (Number.parseInt(traceparent[SAMPLED_DIGIT]!, 16) & 1) === 1;
}
