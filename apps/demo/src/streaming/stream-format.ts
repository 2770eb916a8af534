/** How a stream of items looks on the wire. */
export interface StreamFormat {
  readonly contentType: string;
  item(item: unknown): string;
  error(body: unknown): string;
  /** What says that the stream is complete; empty where the end of the response says it. */
  readonly end: string;
  /** What keeps proxies from closing a silent connection. */
  readonly heartbeat: string;
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html: items are messages, `error` and `end` are named events. */
const serverSentEvents: StreamFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  item: (item) => `data: ${JSON.stringify(item)}\n\n`,
  error: (body) => `event: error\ndata: ${JSON.stringify(body)}\n\n`,
  end: 'event: end\ndata: {}\n\n',
  heartbeat: ': heartbeat\n\n',
};

/** One JSON value a line; a last line `{"error": …}` when the stream broke. */
const lines: StreamFormat = {
  contentType: 'application/x-ndjson; charset=utf-8',
  item: (item) => `${JSON.stringify(item)}\n`,
  error: (body) => `${JSON.stringify({ error: body })}\n`,
  end: '',
  heartbeat: '',
};

/** What the client asked for; server-sent events when it has no wish. */
export function formatFor(accept: string | undefined): StreamFormat {
  return accept?.includes('application/x-ndjson') === true ? lines : serverSentEvents;
}
