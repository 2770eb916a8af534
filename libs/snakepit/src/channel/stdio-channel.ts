import type { Readable, Writable } from 'node:stream';

import {
  ByteWriter,
  EncodeError,
  encodeV1Request,
  MessageReader,
  parseV1Reply,
  ProtocolViolation,
  type Codec,
  type MessageSink,
  type StackSignal,
} from '../codec/index.js';
import { SnakepitError, type Clock } from '../core/index.js';
import type { CallId, Channel, ChannelCall, ChannelFailure, ChannelOwner, WorkerManifest } from './channel.js';
import { noInput } from './refused-call.js';
import { toCallerError, type ChannelName } from './remote-failure.js';

export interface StdioChannelParts {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** The handshake's reader, which may hold the beginning of a message. */
  readonly reader: MessageReader;
  readonly codec: Codec;
  readonly name: ChannelName;
  /** As the first reply says. */
  readonly stackSignal: StackSignal | undefined;
  readonly maxFrameBytes: number;
  readonly clock: Clock;
  readonly owner: ChannelOwner;
  /** The id of the next request; the handshake used up those before it. */
  readonly nextId: number;
  /** Pings of the handshake whose answers may still arrive. */
  readonly unanswered: Set<number>;
}

const PING_COMMAND = 'ping';

/** Protocol v1, the ancestor's: one request at a time on stdin, its reply on stdout. */
export class StdioChannel implements Channel, MessageSink {
  readonly manifest: WorkerManifest;
  readonly maxInFlight = 1;
  readonly pipelineBudgetUs = 0;
  lastHeardAt: number;

  readonly #parts: StdioChannelParts;
  readonly #out = new ByteWriter();
  #owner: ChannelOwner | undefined;
  /** The one call in the worker's hands. */
  #current: { readonly id: number; readonly call: ChannelCall; readonly sentAt: number } | undefined;
  /** Id of a heartbeat that is not answered yet. */
  #pingId: number | undefined;
  #nextId: number;
  #congested = false;

  constructor(parts: StdioChannelParts) {
    this.#parts = parts;
    this.#owner = parts.owner;
    this.#nextId = parts.nextId;
    const { codec, stackSignal } = parts;
    this.manifest = { protocol: 'v1', codec: codec.name, answersWhileBusy: false, ...(stackSignal && { stackSignal }) };
    this.lastHeardAt = parts.clock.now();
  }

  listen(): void {
    const { stdin, stdout } = this.#parts;
    stdout.on('data', this.#onData).on('end', this.#onClosed).on('close', this.#onClosed).on('error', this.#onClosed);
    stdin.on('drain', this.#onDrain).on('error', this.#onClosed);
  }

  get inFlight(): number {
    return this.#current === undefined ? 0 : 1;
  }

  callsInFlight(): readonly ChannelCall[] {
    return this.#current === undefined ? [] : [this.#current.call];
  }

  send(call: ChannelCall, nowMs: number): CallId {
    if (this.#current !== undefined) throw new RangeError('protocol v1 carries one call at a time');
    if (call.kind === 'stream') {
      throw new SnakepitError('UNSUPPORTED', {
        command: call.command,
        pool: this.#parts.name.pool,
        reason: "protocol v1 has no streams; use protocol 'v2'",
      });
    }
    if (call.input !== undefined) throw noInput(call.command, this.#parts.name.pool, 'protocol v1');
    const id = this.#nextId;
    // Handlers of protocol v1 expect a map, always.
    this.#write(id, call.command, call.args ?? {});
    this.#current = { id, call, sentAt: nowMs };
    return id;
  }

  cancel(): boolean {
    return false;
  }

  grant(): void {
    throw new RangeError('protocol v1 has no streams');
  }

  ping(): boolean {
    if (this.#current !== undefined || this.#pingId !== undefined) return false;
    const id = this.#nextId;
    this.#write(id, PING_COMMAND, {});
    this.#pingId = id;
    return true;
  }

  sessionClosed(): void {
    // Protocol v1 tells workers nothing of sessions.
  }

  shutdown(): void {
    this.#parts.stdin.end();
  }

  abandon(): Array<{ readonly call: ChannelCall; readonly wasWritten: boolean }> {
    this.#owner = undefined;
    const { stdin, stdout } = this.#parts;
    stdout.off('data', this.#onData);
    stdin.off('drain', this.#onDrain);
    stdin.destroy();
    stdout.destroy();
    const current = this.#current;
    this.#current = undefined;
    return current === undefined ? [] : [{ call: current.call, wasWritten: true }];
  }

  #write(id: number, command: string, args: unknown): void {
    const { codec, name, maxFrameBytes, stdin, clock } = this.#parts;
    const timestamp = new Date(clock.wallTime()).toISOString();
    const start = this.#out.position;
    try {
      const bytes = encodeV1Request(codec, { id, command, args }, timestamp, this.#out);
      if (bytes > maxFrameBytes) {
        throw new SnakepitError('FRAME_TOO_LARGE', {
          what: `The arguments of '${command}'`,
          bytes,
          maxFrameBytes,
          command,
        });
      }
    } catch (error) {
      this.#out.rollback(start);
      if (!(error instanceof EncodeError)) throw error;
      const details = { command, pool: name.pool, path: error.path, reason: `${error.path}: ${error.reason}` };
      throw new SnakepitError('INVALID_ARGUMENTS', details, { cause: error });
    }
    this.#nextId += 1;
    const written = this.#out.take();
    this.#parts.owner.traffic.sentBytes += written.length;
    const hasRoom = stdin.write(written, () => this.#out.recycle(written));
    if (hasRoom || this.#congested) return;
    this.#congested = true;
    this.#owner?.onRoom(false);
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    const reply = parseV1Reply(this.#parts.codec.decode(bytes, start, end, 0));
    if (this.#parts.unanswered.delete(reply.id)) return;
    if (reply.id === this.#pingId) {
      this.#pingId = undefined;
      return;
    }
    const current = this.#current;
    if (current === undefined || reply.id !== current.id) {
      throw new ProtocolViolation(`a reply with id ${String(reply.id)}, expected ${current?.id ?? 'none'}`);
    }
    this.#current = undefined;
    // The worker does not tell; with one call at a time, what the host sees comes close.
    const serviceUs = (this.lastHeardAt - current.sentAt) * 1_000;
    if (reply.success) return current.call.onResult(reply.result, serviceUs);
    const body = reply.details ?? { code: 'REMOTE_ERROR', type: 'Error', message: reply.message };
    current.call.onFailure(toCallerError(body, current.call.command, this.#parts.name), serviceUs);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#parts.owner.traffic.receivedBytes += chunk.length;
    this.lastHeardAt = this.#parts.clock.now();
    try {
      this.#parts.reader.push(chunk, this);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#fail({ kind: 'protocol-error', reason: error.message });
    }
  };

  readonly #onDrain = (): void => {
    this.#congested = false;
    this.#owner?.onRoom(true);
  };

  readonly #onClosed = (): void => this.#fail({ kind: 'closed' });

  #fail(failure: ChannelFailure): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    this.#owner = undefined;
    this.#parts.stdout.off('data', this.#onData);
    owner.onFailed(failure);
  }
}
