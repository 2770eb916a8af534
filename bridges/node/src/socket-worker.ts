import { Socket } from 'node:net';
import {
  Arena,
  ArenaFile,
  ByteWriter,
  CODEC_NAMES,
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

import { errorBodyOf } from './failures.js';
import type { Command } from './load-commands.js';
import { MultiplexedWorker } from './multiplexed-worker.js';
import { endGroup } from './process-end.js';
import { addLogLink } from './process-log.js';
import { SELF } from './self-description.js';
import { startWatchdog } from './watchdog.js';

const MAX_HELLO_BYTES = 1024 * 1024;
const READ_BYTES = 64 * 1024;

/**
 * Serves a host that speaks protocol v2 over an inherited socket. Node itself marks inherited descriptors
 * close-on-exec when it starts.
 */
export function serveSocket(fd: number, loading: Promise<Command[]>): void {
  const connection = new Connection(loading);
  const socket = new Socket({
    fd,
    readable: true,
    writable: true,
    // One buffer for all reads: bodies are decoded before the next read.
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length: number, bytes: Uint8Array) => connection.read(length, bytes),
    },
  } as ConstructorParameters<typeof Socket>[0]);
  connection.socket = socket;
  socket.on('end', endGroup);
  socket.on('close', endGroup);
  socket.on('error', endGroup);
  socket.resume();
  process.on('SIGTERM', () => void connection.stop());
}

/** Waits for the host's HELLO, then lets the worker have the frames. */
class Connection implements FrameSink {
  socket!: Socket;
  #reader = new FrameReader(MAX_HELLO_BYTES);
  #sink: FrameSink = this;
  #worker: MultiplexedWorker | undefined;

  constructor(private readonly loading: Promise<Command[]>) {
    // Reported with the hello; until then it must not count as unhandled.
    loading.catch(() => {});
  }

  read(length: number, buffer: Uint8Array): boolean {
    const bytes = (buffer as Buffer).subarray(0, length);
    try {
      this.#reader.push(bytes, this.#sink);
    } catch (error) {
      console.error('The host broke the wire protocol:', error);
      process.exit(1);
    }
    this.#worker?.startCalls();
    return true;
  }

  onFrame(kind: number, _: number, __: number, ___: number, bytes: Buffer, start: number, end: number): void {
    if (kind !== Kind.HELLO) throw new Error(`expected HELLO, got a frame of kind 0x${kind.toString(16)}`);
    this.#sink = { onFrame: () => this.#tooEarly() };
    void this.#answer(parseHostHello(bytes, start, end));
  }

  async stop(): Promise<void> {
    if (this.#worker === undefined) process.exit(0);
    await this.#worker.stop();
  }

  #tooEarly(): never {
    throw new Error('the host sent a frame before this worker said that it is ready');
  }

  async #answer(hello: HostHello): Promise<void> {
    try {
      const commands = await this.loading;
      const codec = hello.codecs[0];
      if (!hello.protocol.includes(2))
        throw new Error(`this SDK speaks protocol 2, the host ${String(hello.protocol)}`);
      if (codec === undefined) throw new Error(`the host offers none of the codecs ${CODEC_NAMES.join(', ')}`);
      const arena = openArena(hello);
      const reading = createCodec(codec, hello, { store: arena });
      this.#worker = new MultiplexedWorker(this.socket, reading, hello, commands, arena);
      this.#sink = this.#worker;
      this.#reader = new FrameReader(hello.maxFrameBytes);
      this.#send(workerHello(codec, commands, arena !== undefined));
      addLogLink(this.#worker, true);
      setImmediate(startWatchdog);
    } catch (error) {
      console.error(error);
      this.#send({ error: errorBodyOf(error) });
      this.socket.end(() => process.exit(1));
    }
  }

  #send(hello: WorkerHello | { readonly error: ErrorBody }): void {
    const out = new ByteWriter(1024);
    encodeHello(hello, out);
    this.socket.write(out.take());
  }
}

/** Undefined where the host offers none, or where the descriptor did not come down to this process. */
function openArena({ arena: offer, maxFrameBytes }: HostHello): Arena | undefined {
  const file = offer && ArenaFile.inherit(offer.fd, offer.bytes);
  if (offer === undefined || file === undefined) return undefined;
  const onFull = (): void =>
    console.warn("The arena is full; large results go through the socket until there is room; raise 'arena.bytes'");
  return new Arena({ file, side: 'worker', thresholdBytes: offer.thresholdBytes, maxFrameBytes, onFull });
}

function workerHello(codec: WorkerHello['codec'], commands: readonly Command[], arena: boolean): WorkerHello {
  return {
    ...SELF,
    codec,
    // A synchronous command holds the only thread that could answer.
    answersWhileBusy: false,
    typedArrays: true,
    arena,
    batches: true,
    commands: commands.map((command) => command.manifest),
  };
}
