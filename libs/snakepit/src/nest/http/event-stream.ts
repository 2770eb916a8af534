import { ReadableStream, type ReadableStreamDefaultController, type UnderlyingSource } from 'node:stream/web';
import { Logger, type MessageEvent } from '@nestjs/common';
import { isObservable, type Observable } from 'rxjs';

import { isSnakepitError, type SnakepitError } from '../../core/index.js';
import { pulled } from '../../runtime/index.js';
import { answerBy } from './error-answer.js';
import type { SnakepitErrorBody } from './error-body.js';
import { checkHeartbeatMs, HEARTBEAT, HEARTBEAT_MS } from './heartbeat.js';

/** Nobody on the way may keep, change or hold back what is sent. */
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'private, no-cache, no-store, must-revalidate, max-age=0, no-transform',
  'x-accel-buffering': 'no',
};
const UNKNOWN_FAILURE = 'Internal server error';

type AnswerTo = (error: SnakepitError) => SnakepitErrorBody;

export interface EventStreamOptions<Item> {
  /** What is sent for an item. Default: the item as `data`, text as it is and anything else as JSON. */
  readonly toEvent?: (item: Item) => MessageEvent;
  /** After how many milliseconds without an event a comment is sent, which also begins the response. Default: 15000. */
  readonly heartbeatMs?: number;
}

/**
 * Server-sent events for a handler of `@Get()` or `@Post()` to return, from `pool.iterate()`, any other async iterable, or the Observable of a command.
 *
 * The response begins with the first event or heartbeat: what fails before is answered as by any other handler, by the error's status. What fails
 * later ends the events with `event: error`, whose data is the message. Clients that read slowly suspend the worker, and those that leave stop it.
 *
 * @throws RangeError where `heartbeatMs` is no number of milliseconds that a timer can wait; TypeError for an Observable that is not a command's own,
 * see {@link pulled}
 */
export function eventStream<Item>(
  items: AsyncIterable<Item> | Observable<Item>,
  options: EventStreamOptions<Item> = {},
): Response {
  const { toEvent = (data) => ({ data: data as string | object }), heartbeatMs = HEARTBEAT_MS } = options;
  checkHeartbeatMs(heartbeatMs, 'eventStream');
  const iterable = isObservable(items) ? pulled(items) : items;
  const source = new PulledEvents(iterable[Symbol.asyncIterator](), (item) => formatEvent(toEvent(item)), heartbeatMs);
  // Nothing is pulled before Nest reads, as a call that nobody waits for would be.
  const response = new Response(new ReadableStream(source, { highWaterMark: 0 }), { headers: HEADERS });
  sources.set(response, source);
  return response;
}

const sources = new WeakMap<object, { answerTo: AnswerTo }>();

/** Lets `answerTo` say what the client is told of a failure when a response of {@link eventStream} has begun; nothing happens to other values. */
export function answerFailuresBy(answerTo: AnswerTo, response: unknown): void {
  const source = typeof response === 'object' && response !== null ? sources.get(response) : undefined;
  if (source !== undefined) source.answerTo = answerTo;
}

/** Pulls one item for each event that the response has room for. */
class PulledEvents<Item> implements UnderlyingSource<Uint8Array> {
  /** What the client is told of a failure; the rest goes to the log. */
  answerTo: AnswerTo = (error) => answerBy({}, error);
  #next: Promise<IteratorResult<Item>> | undefined;
  #hasBegun = false;
  #isLeft = false;

  constructor(
    private readonly items: AsyncIterator<Item>,
    private readonly format: (item: Item) => string,
    private readonly heartbeatMs: number,
  ) {}

  async pull(response: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const text = await this.#nextText();
      if (this.#isLeft) return;
      if (text === undefined) return response.close();
      response.enqueue(Buffer.from(text));
      this.#hasBegun = true;
    } catch (error) {
      if (this.#isLeft) return;
      this.#stop();
      // Breaks the body off, and with nothing sent Nest hands the error to the filters.
      if (!this.#hasBegun) throw error;
      const data = isSnakepitError(error) ? this.answerTo(error).message : unknownFailure(error);
      response.enqueue(Buffer.from(formatEvent({ type: 'error', data })));
      response.close();
    }
  }

  cancel(): void {
    this.#isLeft = true;
    this.#stop();
  }

  /** An event, or a heartbeat if there is none in time; undefined behind the last. */
  async #nextText(): Promise<string | undefined> {
    this.#next ??= this.items.next();
    const result = await within(this.heartbeatMs, this.#next);
    if (result === undefined) return formatEvent(HEARTBEAT);
    this.#next = undefined;
    return result.done === true ? undefined : this.format(result.value);
  }

  /** Not awaited: a generator stops only when what it waits for has come. */
  #stop(): void {
    this.items.return?.().catch(unknownFailure);
  }
}

async function within<Result>(ms: number, result: Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([result, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tells the log, and returns what the client may know. */
function unknownFailure(error: unknown): string {
  new Logger('Snakepit').error(error);
  return UNKNOWN_FAILURE;
}

function formatEvent({ type, id, retry, comment, data }: MessageEvent): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${field(':', comment)}${field('event:', type)}${field('id:', id)}${field('retry:', retry)}${field('data:', text)}\n`;
}

/** A line for each line of the value, so that none can pass for another field. */
function field(name: string, value: string | number | undefined): string {
  if (value === undefined) return '';
  return String(value)
    .split(/\r\n|\r|\n/u)
    .map((line) => `${name} ${line}\n`)
    .join('');
}
