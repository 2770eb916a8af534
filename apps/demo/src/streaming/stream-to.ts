import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import { problemOf } from '../errors/problem.js';
import { pull, type Items } from './items.js';
import { formatFor, type StreamFormat } from './stream-format.js';

const HEARTBEAT_MS = 15_000;
/** For how long the first item is awaited, so that an early failure can still choose the status. */
const FIRST_ITEM_MS = 500;

/** Fastify wraps the response of Node, Express extends it. */
interface WrappedResponse {
  readonly raw: ServerResponse;
  hijack(): void;
}

/**
 * Answers a request with a stream of items, as server-sent events or as NDJSON.
 *
 * A failure before the first item is thrown, for Nest's filters; a later one is the last thing in the stream. `start` gets a
 * signal that aborts when the client leaves. Items are pulled no faster than the client reads.
 */
export async function streamTo<Item>(
  to: ServerResponse | WrappedResponse,
  start: (signal: AbortSignal) => Items<Item>,
): Promise<void> {
  const response = 'raw' in to ? to.raw : to;
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  if (response.destroyed) leave();
  response.once('close', leave);
  const stream = new StreamResponse(
    response,
    formatFor(response.req.headers.accept),
    () => 'hijack' in to && to.hijack(),
  );
  const opener = setTimeout(() => stream.open(), FIRST_ITEM_MS);
  try {
    for await (const item of pull(start(leaving.signal), leaving.signal)) {
      await stream.write(item, leaving.signal);
    }
    stream.end();
  } catch (error) {
    // Whatever breaks after the client left concerns nobody: most often it is the cancellation itself.
    if (leaving.signal.aborted) return;
    if (!stream.isOpen) throw error;
    stream.fail(error);
  } finally {
    clearTimeout(opener);
    stream.close();
    response.off('close', leave);
  }
}

class StreamResponse {
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(
    private readonly response: ServerResponse,
    private readonly format: StreamFormat,
    /** Takes the response from the framework, which sends it no more. */
    private readonly take: () => void,
  ) {}

  get isOpen(): boolean {
    return this.response.headersSent;
  }

  open(): void {
    const { response, format } = this;
    if (this.isOpen || response.destroyed) return;
    this.take();
    response.writeHead(200, {
      'Content-Type': format.contentType,
      'Cache-Control': 'no-cache, no-transform',
      // nginx would gather the stream otherwise.
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    if (format.heartbeat === '') return;
    this.#heartbeat = setInterval(() => {
      if (!response.destroyed) response.write(format.heartbeat);
    }, HEARTBEAT_MS);
  }

  /** Resolves when the client has room for the next item. */
  async write(item: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.open();
    if (!this.response.write(this.format.item(item))) await once(this.response, 'drain', { signal });
  }

  end(): void {
    if (this.response.destroyed) return;
    this.open();
    this.response.end(this.format.end);
  }

  fail(error: unknown): void {
    if (!this.response.destroyed) this.response.end(this.format.error(problemOf(error)));
  }

  close(): void {
    clearInterval(this.#heartbeat);
  }
}
