import { HostCallFailure } from '../channel/index.js';
import { describeValue, isPlainObject, SnakepitError } from '../core/index.js';
import type { HostRequest, ToolRun } from '../pool/index.js';

/** A message that a command waits for the answer to. */
export interface Message {
  /** A string, a number, or a map, as the worker sent it. */
  readonly pattern: unknown;
  readonly data: unknown;
  /** The pool whose worker asks. */
  readonly pool: string;
  /** The command's call, and the signal that aborts when nobody waits for the answer any more. */
  readonly run: ToolRun;
}

/** Answers messages; a rejection goes to the command as an error, that of a {@link HostCallFailure} word for word. */
export type MessageAnswerer = (message: Message) => Promise<unknown>;

/**
 * What workers ask by `ctx.send`, for whoever answers it.
 *
 * @internal
 */
export class Messages {
  #answerer: MessageAnswerer | undefined;

  /**
   * Lets messages be answered, until the function that it returns is called.
   *
   * @throws SnakepitError MISUSE while somebody else answers them
   */
  serve(answerer: MessageAnswerer): () => void {
    if (this.#answerer !== undefined) {
      const reason = `the messages of these pools are answered already; connect one SnakepitServer, or close the other first.`;
      throw new SnakepitError('MISUSE', { reason });
    }
    this.#answerer = answerer;
    return () => {
      if (this.#answerer === answerer) this.#answerer = undefined;
    };
  }

  /** Answers the host call `message.send` with `{ pattern, data, concurrent }`. */
  async answer(request: HostRequest): Promise<unknown> {
    const { method, pool } = request;
    if (method !== 'message.send')
      throw refusal('UNKNOWN_COMMAND', `there is no host call '${method}'; there is message.send`);
    const { pattern, data, concurrent } = parse(request.args);
    const answerer = this.#answerer;
    if (answerer === undefined) {
      const remedy = 'connect a SnakepitServer of nestjs-snakepit/microservices and start it';
      throw refusal('UNKNOWN_PATTERN', `the application answers no messages of workers now; ${remedy}`);
    }
    if (request.isOver) {
      const why = 'the message was sent for a call that has ended, or for none';
      throw refusal('CALL_ENDED', `${why}; send messages while the command runs, and wait for their answers`);
    }
    return request.runTool(concurrent !== true, (run) => answerer({ pattern, data, pool, run }));
  }
}

function parse(given: unknown): { readonly pattern: unknown; readonly data: unknown; readonly concurrent: unknown } {
  const { pattern, data = null, concurrent } = isPlainObject(given) ? given : {};
  const isPattern = (typeof pattern === 'string' && pattern !== '') || typeof pattern === 'number';
  if (isPattern || isPlainObject(pattern)) return { pattern, data, concurrent };
  const allowed = 'a non-empty string, a number or a map';
  throw refusal('INVALID_ARGUMENTS', `the pattern of a message is ${allowed}, not ${describeValue(pattern)}`);
}

function refusal(code: string, message: string): HostCallFailure {
  return new HostCallFailure({ code, message });
}
