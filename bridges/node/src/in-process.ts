import {
  ByteWriter,
  createCodec,
  encodeHello,
  FrameReader,
  Kind,
  parseHostHello,
  type ErrorBody,
  type FrameSink,
  type HostHello,
  type WorkerHello,
} from 'nestjs-snakepit/codec';

import type { Handler, Hooks } from './definition.js';
import { errorBodyOf } from './failures.js';
import type { Home } from './home.js';
import { InProcessCall, type CallObserver } from './in-process-call.js';
import { commandsIn, type Command } from './load-commands.js';
import { MultiplexedWorker } from './multiplexed-worker.js';
import type { HostSocket } from './outlet.js';
import { SELF } from './self-description.js';

const MAX_HELLO_BYTES = 1024 * 1024;

export interface InProcessParts {
  /** Functions by name, as a module exports them. */
  readonly exported: Readonly<Record<string, unknown>>;
  /** Where they come from, for messages. */
  readonly origin: string;
  readonly hooks: Hooks;
  readonly socket: HostSocket;
  readonly clock: { now(): number };
  readonly observer: CallObserver;
  /** What the commands' contexts have as `worker`. */
  readonly worker: unknown;
  /** Put around every command; `run` calls it. */
  around(call: InProcessCall, run: () => unknown): unknown;
  /** It has ended by itself. */
  onExit(status: number): void;
}

/** Serves protocol v2 to a host in whose process it lives, as a worker with a process of its own does. */
export class InProcessWorker implements FrameSink {
  readonly #parts: InProcessParts;
  #reader = new FrameReader(MAX_HELLO_BYTES);
  #sink: FrameSink = this;
  #worker: MultiplexedWorker | undefined;

  constructor(parts: InProcessParts) {
    this.#parts = parts;
  }

  /** Takes what the host has written. */
  read(bytes: Buffer): void {
    this.#reader.push(bytes, this.#sink);
    this.#worker?.startCalls();
  }

  onFrame(kind: number, _: number, __: number, ___: number, bytes: Buffer, start: number, end: number): void {
    if (kind !== Kind.HELLO) throw new Error(`expected HELLO, got a frame of kind 0x${kind.toString(16)}`);
    void this.#answer(parseHostHello(bytes, start, end));
  }

  /** What SIGTERM does to a worker with a process of its own. */
  async stop(): Promise<void> {
    if (this.#worker === undefined) return this.#parts.onExit(0);
    await this.#worker.stop();
  }

  /** It is gone: whatever its commands still do, nothing is sent. */
  abandon(): void {
    this.#worker?.abandon();
  }

  async #answer(hello: HostHello): Promise<void> {
    const { hooks, socket, onExit } = this.#parts;
    try {
      const commands = this.#commands();
      for (const hook of hooks.start) await hook();
      const codec = hello.codecs[0];
      if (codec === undefined) throw new Error('the host offers no codec');
      const home: Home = {
        hooks,
        exit: onExit,
        callOf: (input, link) => new InProcessCall(input, link, this.#parts),
      };
      this.#worker = new MultiplexedWorker(socket, createCodec(codec, hello), hello, commands, undefined, home);
      this.#sink = this.#worker;
      this.#reader = new FrameReader(hello.maxFrameBytes);
      const manifest = commands.map((command) => command.manifest);
      this.#send({
        ...SELF,
        codec,
        answersWhileBusy: false,
        batches: true,
        typedArrays: true,
        arena: false,
        commands: manifest,
      });
    } catch (error) {
      this.#send({ error: errorBodyOf(error) });
      socket.end(() => onExit(1));
    }
  }

  #commands(): Command[] {
    const { exported, origin } = this.#parts;
    return commandsIn(exported, origin).map(({ manifest, handler, isAsync, isSlow }) => {
      return { manifest, handler: this.#surrounded(handler), isAsync, isSlow };
    });
  }

  /** A function that tells as many parameters as the command: it decides how positional arguments are taken. */
  #surrounded(handler: Handler): Handler {
    const { around } = this.#parts;
    const surrounded = (...args: unknown[]): unknown => around(args.at(-1) as InProcessCall, () => handler(...args));
    return Object.defineProperty(surrounded, 'length', { value: handler.length });
  }

  #send(hello: WorkerHello | { readonly error: ErrorBody }): void {
    const out = new ByteWriter(1024);
    encodeHello(hello, out);
    this.#parts.socket.write(out.take(), () => {});
  }
}
