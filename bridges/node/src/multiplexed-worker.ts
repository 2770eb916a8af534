/// <reference lib="es2024.string" />
import type { Socket } from 'node:net';
import {
  COMMAND_BY_NAME,
  EncodeError,
  Flag,
  Kind,
  MAX_SERVICE_US,
  parseCallMeta,
  parseErrorBody,
  ProtocolViolation,
  type CallMeta,
  type CancelReason,
  type Codec,
  type ErrorBody,
  type FrameSink,
  type HostHello,
  type LogBody,
} from 'nestjs-snakepit/codec';

import { Call, invoke, type Uplink } from './call.js';
import { errorBodyOf, HostError, invalidResult } from './failures.js';
import type { Command } from './load-commands.js';
import { FrameTooLarge, Outlet } from './outlet.js';
import { runShutdownHooks } from './process-end.js';
import { SessionTracker } from './session-tracker.js';
import { runStream, type StreamSink } from './stream-run.js';

/** How long commands run before the socket, timers and streams have their turn. */
const TURN_MS = 1;

/** A command that took longer than this makes replies that wait leave before it runs again. */
const SLOW_MS = 0.1;

/** A cancelled command that has not ended by then is answered for: JavaScript cannot be stopped from outside. */
const CANCEL_GRACE_MS = 50;

const NO_META: CallMeta = {};

interface HostAnswer {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Runs commands for a host that speaks protocol v2. */
export class MultiplexedWorker implements FrameSink, Uplink, StreamSink {
  readonly #byName: ReadonlyMap<string, Command>;
  readonly #outlet: Outlet;
  readonly #sessions = new SessionTracker();
  /** Calls that arrived and have not begun, in order; those before `#next` have. */
  #queue: Call[] = [];
  #next = 0;
  #isDraining = false;
  /** Calls that began and have not ended, the synchronous one that runs right now excepted. */
  readonly #running = new Map<number, Call>();
  readonly #asked = new Map<number, HostAnswer>();
  #lastAsked = 0;
  /** A command has the thread. */
  #isInCommand = false;
  #isStopping = false;

  constructor(
    socket: Socket,
    private readonly codec: Codec,
    private readonly hello: HostHello,
    private readonly commands: readonly Command[],
  ) {
    this.#outlet = new Outlet(socket, codec, hello.maxFrameBytes);
    this.#byName = new Map(commands.map((command) => [command.manifest.name, command]));
  }

  onFrame(kind: number, flags: number, aux: number, id: number, bytes: Buffer, start: number, end: number): void {
    switch (kind) {
      case Kind.CALL:
        return this.#receive(flags, aux, id, bytes, start, end);
      case Kind.CANCEL:
        return this.#cancel(id, aux as CancelReason);
      case Kind.CREDIT:
        return this.#credit(id, aux);
      case Kind.PING:
        return this.#outlet.sendEmpty(Kind.PONG, 0, id);
      case Kind.PONG:
        return;
      case Kind.HOST_RESULT:
        return this.#answered(id)?.resolve(this.codec.decode(bytes, start, end, flags));
      case Kind.HOST_ERROR:
        return this.#answered(id)?.reject(hostError(this.codec.decode(bytes, start, end, flags)));
      case Kind.SESSION_CLOSED:
        return this.#sessions.close(String(this.codec.decode(bytes, start, end, flags)));
      case Kind.SHUTDOWN:
        this.#isStopping = true;
        return this.#stopIfIdle();
      default:
        throw new ProtocolViolation(`a frame of kind 0x${kind.toString(16)} does not go to a worker`);
    }
  }

  /** Begins the calls that arrived; to be called when a chunk of the socket was read to its end. */
  startCalls(): void {
    if (!this.#isDraining) this.#drain();
  }

  /** Ends the worker without waiting for calls. */
  async stop(): Promise<void> {
    await runShutdownHooks();
    await this.#outlet.close();
    process.exit(0);
  }

  // --- what a call sends -------------------------------------------------------------------------

  progress(call: Call, value: unknown): void {
    if (call.hasEnded) return;
    this.#outlet.send(Kind.PROGRESS, 0, call.callId, value ?? null, 'progress');
    this.#flushIfBlocked();
  }

  log(call: Call, record: LogBody): void {
    const { level } = record;
    try {
      this.#outlet.send(Kind.LOG, 0, call.hasEnded ? 0 : call.callId, record, 'log', 1);
    } catch (error) {
      const message = `${String(record.message).toWellFormed()} (cannot be sent as it is: ${(error as Error).message})`;
      this.#outlet.send(Kind.LOG, 0, 0, { level, message: message.slice(0, 8192).toWellFormed() }, 'log');
    }
    this.#flushIfBlocked();
  }

  emit(call: Call, name: string, data: unknown): void {
    this.#outlet.send(Kind.EVENT, 0, call.hasEnded ? 0 : call.callId, { name, data }, 'event', 1);
    this.#flushIfBlocked();
  }

  ask(call: Call, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      do this.#lastAsked = (this.#lastAsked % 0xffffffff) + 1;
      while (this.#asked.has(this.#lastAsked));
      const id = this.#lastAsked;
      this.#outlet.send(Kind.HOST_CALL, 0, id, { method, args, call: call.callId }, method, 2);
      this.#asked.set(id, { resolve, reject });
    });
  }

  /** What a command says before it gives up the thread must not wait until it does. */
  #flushIfBlocked(): void {
    if (this.#isInCommand) this.#outlet.flush();
  }

  // --- arrival -----------------------------------------------------------------------------------

  #receive(flags: number, aux: number, id: number, bytes: Buffer, start: number, end: number): void {
    let at = start;
    let deadlineAt = Infinity;
    if ((flags & Flag.DEADLINE) !== 0) {
      if (end - start < 4) throw new ProtocolViolation('a call with a deadline has a body of less than 4 bytes');
      deadlineAt = performance.now() + bytes.readUInt32BE(start);
      at += 4;
    }
    let args = this.codec.decode(bytes, at, end, flags);
    let meta = NO_META;
    if ((flags & Flag.META) !== 0) {
      if (!Array.isArray(args) || args.length !== 2) throw new ProtocolViolation('a call with meta is no [meta, args]');
      meta = parseCallMeta(args[0]);
      args = args[1] as unknown;
    }
    const definition = aux === COMMAND_BY_NAME ? this.#byName.get(meta.command ?? '') : this.commands[aux];
    if (definition === undefined) return this.#refuseUnknown(id, meta.command ?? `number ${aux}`);
    const wantsStream = (flags & Flag.STREAM) !== 0;
    const { streamCredit: credit } = this.hello;
    this.#queue.push(new Call({ callId: id, definition, args, meta, deadlineAt, wantsStream, credit }, this));
  }

  #refuseUnknown(id: number, name: string): void {
    const known = [...this.#byName.keys()].join(', ');
    const message = `there is no command '${name}'; the worker has: ${known}`;
    this.#outlet.sendError(Kind.ERROR, 0, id, { code: 'UNKNOWN_COMMAND', message });
  }

  #cancel(id: number, reason: CancelReason): void {
    const call = this.#running.get(id);
    if (call === undefined) {
      this.#queue.find((each, index) => index >= this.#next && each.callId === id)?.cancel(reason);
      return;
    }
    call.cancel(reason);
    setTimeout(() => {
      if (!call.hasEnded) this.#endWithError(call, cancelled(true));
    }, CANCEL_GRACE_MS);
  }

  #credit(id: number, chunks: number): void {
    const call = this.#running.get(id) ?? this.#queue.find((each) => each.callId === id);
    if (call === undefined) return;
    call.credit += chunks;
    call.onCredit?.();
  }

  #answered(id: number): HostAnswer | undefined {
    const answer = this.#asked.get(id);
    this.#asked.delete(id);
    return answer;
  }

  // --- running -----------------------------------------------------------------------------------

  readonly #drain = (): void => {
    this.#isDraining = false;
    const startedAt = performance.now();
    let now = startedAt;
    while (this.#next < this.#queue.length) {
      if (now - startedAt > TURN_MS) {
        // Frames that came meanwhile may cancel what waits here.
        this.#outlet.flush();
        this.#queue = this.#queue.slice(this.#next);
        this.#next = 0;
        this.#isDraining = true;
        // One would run before the socket is read again.
        setImmediate(() => setImmediate(this.#drain));
        return;
      }
      const call = this.#queue[this.#next]!;
      this.#next += 1;
      if (call.definition.isSlow) this.#outlet.flush();
      this.#begin(call, now);
      const then = now;
      now = performance.now();
      call.definition.isSlow = now - then > SLOW_MS;
      this.#outlet.flushIfLate(now);
    }
    this.#queue = [];
    this.#next = 0;
    this.#stopIfIdle();
  };

  #begin(call: Call, now: number): void {
    if (call.cancelReason !== 0) return this.#endWithError(call, cancelled(false));
    if (now >= call.deadlineAt) {
      const message = 'the deadline passed before the command began';
      return this.#endWithError(call, { code: 'CALL_TIMEOUT', message, started: false });
    }
    if (call.definition.manifest.kind === 'stream' && !call.wantsStream) {
      const message = `'${call.command}' is a stream; call it as one`;
      return this.#endWithError(call, { code: 'INVALID_ARGUMENTS', message });
    }
    call.startedAt = now;
    const opening = call.meta.session === undefined ? undefined : this.#sessions.enter(call.session);
    if (opening === undefined) return this.#run(call);
    this.#running.set(call.callId, call);
    opening.then(
      () => this.#run(call),
      (error: unknown) => this.fail(call, error),
    );
  }

  #run(call: Call): void {
    if (call.hasEnded) return;
    if (call.definition.manifest.kind === 'stream') {
      this.#running.set(call.callId, call);
      void runStream(call, this);
      return;
    }
    let result: unknown;
    this.#isInCommand = true;
    try {
      result = invoke(call);
    } catch (error) {
      this.fail(call, error);
      return;
    } finally {
      this.#isInCommand = false;
    }
    if (!isThenable(result)) return this.#succeed(call, result);
    this.#running.set(call.callId, call);
    result.then(
      (value) => this.#succeed(call, value),
      (error: unknown) => this.fail(call, error),
    );
  }

  // --- ending ------------------------------------------------------------------------------------

  #succeed(call: Call, value: unknown): void {
    if (call.hasEnded) return;
    try {
      const sent = value === undefined ? null : value;
      if (call.wantsStream) {
        this.#outlet.send(Kind.CHUNK, 0, call.callId, sent, 'result');
        this.#outlet.sendEmpty(Kind.END, serviceTime(call), call.callId);
      } else {
        this.#outlet.send(Kind.RESULT, serviceTime(call), call.callId, sent, 'result');
      }
      this.#ended(call);
    } catch (error) {
      this.#endWithError(call, unsendable(error));
    }
  }

  chunk(call: Call, value: unknown): void {
    if (!call.hasEnded) this.#outlet.send(Kind.CHUNK, 0, call.callId, value, 'chunk');
  }

  end(call: Call): void {
    if (call.hasEnded) return;
    this.#outlet.sendEmpty(Kind.END, serviceTime(call), call.callId);
    this.#ended(call);
  }

  closed(call: Call): void {
    if (!call.hasEnded) this.#endWithError(call, cancelled(true));
  }

  fail(call: Call, thrown: unknown): void {
    if (call.hasEnded) return;
    if (call.cancelReason !== 0) return this.#endWithError(call, cancelled(true));
    if (thrown instanceof EncodeError || thrown instanceof FrameTooLarge) {
      return this.#endWithError(call, unsendable(thrown));
    }
    const isLate = call.isPastDeadline && (thrown as { name?: unknown } | null | undefined)?.name === 'AbortError';
    if (isLate) {
      return this.#endWithError(call, { code: 'CALL_TIMEOUT', message: 'stopped at its deadline', started: true });
    }
    return this.#endWithError(call, errorBodyOf(thrown));
  }

  #endWithError(call: Call, error: ErrorBody): void {
    this.#outlet.sendError(Kind.ERROR, serviceTime(call), call.callId, error);
    this.#ended(call);
  }

  #ended(call: Call): void {
    call.end();
    this.#running.delete(call.callId);
    if (this.#isStopping) this.#stopIfIdle();
  }

  #stopIfIdle(): void {
    if (!this.#isStopping || this.#running.size > 0 || this.#next < this.#queue.length) return;
    void this.stop();
  }
}

function cancelled(started: boolean): ErrorBody {
  return { code: 'CANCELLED', message: started ? 'the call was cancelled' : 'cancelled before it began', started };
}

function unsendable(error: unknown): ErrorBody {
  if (error instanceof FrameTooLarge) return { code: 'FRAME_TOO_LARGE', message: error.message };
  return error instanceof EncodeError ? invalidResult(error) : errorBodyOf(error);
}

/** Microseconds since the command began, as the header can tell them. */
function serviceTime(call: Call): number {
  if (call.startedAt === 0) return 0;
  return Math.min(MAX_SERVICE_US, Math.round((performance.now() - call.startedAt) * 1000));
}

function hostError(value: unknown): Error {
  const { code, message } = parseErrorBody(value);
  return new HostError(code, message);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
