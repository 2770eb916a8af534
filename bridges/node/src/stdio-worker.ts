/// <reference lib="es2024.string" />
import {
  ByteWriter,
  createCodec,
  EncodeError,
  encodeV1Reply,
  MessageReader,
  negotiationReplyFrame,
  parseNegotiationRequest,
  parseV1Request,
  type Codec,
  type CodecName,
  type ErrorBody,
  type LogBody,
  type V1Reply,
  type V1Request,
} from 'nestjs-snakepit/codec';

import { invokeHandler } from './batch-call.js';
import { Call, type Uplink } from './call.js';
import { CallFailure, errorBodyOf, invalidResult } from './failures.js';
import type { Command } from './load-commands.js';
import { endGroup, runShutdownHooks } from './process-end.js';
import { startWatchdog } from './watchdog.js';

const MAX_FRAME_BYTES = 64 * 1024 * 1024;
const LIMITS = { maxDepth: 64 };
const OPENING_BRACE = 0x7b;

type Write = (bytes: Buffer) => void;

/** Keeps stdout for replies: whatever else is printed there goes to stderr. Returns what writes to the real one. */
export function claimStdout(): Write {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return (bytes) => void write(bytes);
}

/** Runs commands for a host that speaks protocol v1: one call at a time over stdin and stdout. */
export class StdioWorker implements Uplink {
  readonly #byName: ReadonlyMap<string, Command>;
  readonly #reader = new MessageReader(MAX_FRAME_BYTES);
  readonly #out = new ByteWriter();
  #codec: Codec;
  #isFirst = true;
  #last: Promise<void> = Promise.resolve();

  constructor(
    commands: readonly Command[],
    private readonly protocol: CodecName | 'auto',
    private readonly write: Write,
  ) {
    this.#byName = new Map(commands.map((command) => [command.manifest.name, command]));
    this.#codec = plainCodec(protocol === 'auto' ? 'json' : protocol);
  }

  listen(): void {
    setImmediate(startWatchdog);
    process.stdin.on('data', (chunk: Buffer) => this.#reader.push(chunk, this));
    process.stdin.on('end', endGroup);
    process.stdin.on('error', endGroup);
    process.stdout.on('error', endGroup);
    process.on('SIGTERM', () => void runShutdownHooks().then(() => process.exit(0)));
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    const offered = this.#isFirst ? parseNegotiationRequest(bytes, start, end) : undefined;
    this.#isFirst = false;
    if (offered !== undefined) {
      const selected = this.protocol === 'auto' ? (offered[0] ?? 'json') : this.protocol;
      this.write(negotiationReplyFrame(selected));
      this.#codec = plainCodec(selected);
      return;
    }
    // A host that was not sure of us yet may have sent JSON; no MessagePack map begins with a brace.
    const codec = bytes[start] === OPENING_BRACE ? plainCodec('json') : this.#codec;
    const request = parseV1Request(codec.decode(bytes, start, end, 0));
    this.#last = this.#last.then(() => this.#answer(request));
  }

  progress(): void {}

  log(call: Call | undefined, { level, message }: LogBody): void {
    console.error(`[${level}] ${call?.command ?? 'worker'}: ${message}`);
  }

  emit(): void {}

  ask(_: Call, method: string): Promise<unknown> {
    return Promise.reject(new Error(`'${method}' needs protocol v2; this worker runs with v1`));
  }

  async #answer(request: V1Request): Promise<void> {
    try {
      const result = await this.#execute(request);
      this.#reply({ id: request.id, success: true, result: result === undefined ? null : result });
    } catch (error) {
      const details: ErrorBody = error instanceof EncodeError ? invalidResult(error) : errorBodyOf(error);
      this.#replyWithError(request.id, details);
    }
  }

  #execute({ id, command, args }: V1Request): unknown {
    const definition = this.#byName.get(command);
    if (definition === undefined && command === 'ping') return { status: 'ok', pid: process.pid, echo: args };
    if (definition === undefined) {
      const known = [...this.#byName.keys()].join(', ');
      throw new CallFailure('UNKNOWN_COMMAND', `Unknown command: ${command}; the worker has: ${known}`);
    }
    if (definition.manifest.kind === 'stream') {
      throw new CallFailure('INVALID_ARGUMENTS', `'${command}' is a stream, which protocol v1 cannot carry; use v2`);
    }
    return invokeHandler(
      new Call({ callId: id, definition, args, meta: {}, deadlineAt: Infinity, wantsStream: false, credit: 0 }, this),
    );
  }

  #replyWithError(id: number, details: ErrorBody): void {
    const { code, message } = details;
    try {
      this.#reply({ id, success: false, message, details });
    } catch {
      // The error's own data cannot be sent.
      this.#reply({ id, success: false, message: message.toWellFormed(), details: { code, message } });
    }
  }

  #reply(reply: V1Reply): void {
    const start = this.#out.position;
    try {
      const bytes = encodeV1Reply(this.#codec, reply, new Date().toISOString(), this.#out);
      if (bytes > MAX_FRAME_BYTES) {
        throw new CallFailure('FRAME_TOO_LARGE', `the result of ${bytes} bytes exceeds ${MAX_FRAME_BYTES} bytes`);
      }
    } catch (error) {
      this.#out.rollback(start);
      throw error;
    }
    this.write(this.#out.take());
  }
}

function plainCodec(name: CodecName): Codec {
  return createCodec(name, LIMITS, { plainJson: true });
}
