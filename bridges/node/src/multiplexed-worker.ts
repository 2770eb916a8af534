import {
  CancelReason,
  COMMAND_BY_NAME,
  Flag,
  Kind,
  parseCallMeta,
  parseErrorBody,
  ProtocolViolation,
  type Arena,
  type CallMeta,
  type Codec,
  type FrameSink,
  type HostHello,
  type LogBody,
} from 'nestjs-snakepit/codec';

import type { Call } from './call.js';
import { CallRunner } from './call-runner.js';
import { cutLog, unknownCommand } from './failures.js';
import { FrameCall, type FrameLink } from './frame-call.js';
import { OWN_PROCESS, type Home } from './home.js';
import { HostAsks } from './host-asks.js';
import type { HostedCall } from './hosted-call.js';
import type { Command } from './load-commands.js';
import { clipped, LogGate } from './log-gate.js';
import { Outlet, type HostSocket } from './outlet.js';
import { runShutdownHooks } from './process-end.js';
import { removeLogLink } from './process-log.js';
import { SessionTracker } from './session-tracker.js';

const NO_META: CallMeta = {};

/** Runs commands for a host that speaks protocol v2. */
export class MultiplexedWorker implements FrameSink, FrameLink {
  readonly running = new Map<number, HostedCall>();
  readonly sessions: SessionTracker;
  readonly #byName: ReadonlyMap<string, Command>;
  readonly outlet: Outlet;
  readonly #runner: CallRunner;
  readonly #asks = new HostAsks();
  readonly #logGate = new LogGate((record) => this.#sendLog(undefined, record));

  constructor(
    socket: HostSocket,
    private readonly codec: Codec,
    private readonly hello: HostHello,
    private readonly commands: readonly Command[],
    private readonly arena: Arena | undefined,
    private readonly home: Home = OWN_PROCESS,
  ) {
    this.sessions = new SessionTracker(home.hooks);
    const { maxFrameBytes, typedArrays: keepsTypes = false } = hello;
    this.outlet = new Outlet(socket, codec, { maxFrameBytes, keepsTypes }, arena);
    this.#runner = new CallRunner(this.outlet);
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
        return this.outlet.sendEmpty(Kind.PONG, 0, id);
      case Kind.PONG:
        return;
      case Kind.HOST_RESULT:
        return this.#asks.resolve(id, this.codec.decode(bytes, start, end, flags));
      case Kind.HOST_ERROR:
        return this.#asks.reject(id, parseErrorBody(this.codec.decode(bytes, start, end, flags)));
      case Kind.RELEASE:
        return this.#release(bytes, start, end);
      case Kind.SESSION_CLOSED:
        return this.sessions.close(String(this.codec.decode(bytes, start, end, flags)));
      case Kind.SHUTDOWN:
        return this.#runner.whenIdle(() => void this.stop());
      default:
        throw new ProtocolViolation(`a frame of kind 0x${kind.toString(16)} does not go to a worker`);
    }
  }

  /** Begins the calls that arrived; to be called when a chunk of the socket was read to its end. */
  startCalls(): void {
    this.#runner.startCalls();
  }

  /** Ends the worker without waiting for calls. */
  async stop(): Promise<void> {
    await runShutdownHooks(this.home.hooks);
    removeLogLink(this);
    await this.outlet.close();
    this.home.exit(0);
  }

  /** Nobody listens any more: calls that run are told to stop, those that wait do not begin. */
  abandon(): void {
    this.#runner.forgetWaiting();
    for (const call of this.running.values()) {
      call.end();
      call.cancel(CancelReason.CALLER);
    }
  }

  // --- what a call sends -------------------------------------------------------------------------

  progress(call: Call, value: unknown): void {
    if (call.hasEnded) return;
    this.outlet.send(Kind.PROGRESS, 0, call.callId, value ?? null, 'progress');
    this.#flushIfBlocked();
  }

  log(call: Call | undefined, record: LogBody): void {
    if (this.#logGate.admits()) this.#sendLog(call, record);
  }

  #sendLog(call: Call | undefined, given: LogBody): void {
    // What encodes a result may have something to say, such as that the arena is full.
    if (this.outlet.isEncoding) return process.nextTick(() => this.#sendLog(call, given));
    const record = { ...given, message: clipped(String(given.message)) };
    const id = call === undefined || call.hasEnded ? 0 : call.callId;
    try {
      this.outlet.send(Kind.LOG, 0, id, record, 'log', 1);
    } catch (error) {
      this.outlet.send(Kind.LOG, 0, id, cutLog(record, error), 'log');
    }
    this.#flushIfBlocked();
  }

  emit(call: Call, name: string, data: unknown): void {
    this.outlet.send(Kind.EVENT, 0, call.hasEnded ? 0 : call.callId, { name, data }, 'event', 1);
    this.#flushIfBlocked();
  }

  ask(call: Call, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const trace = call.callTrace?.header;
    const question = { method, args, call: call.callId, ...(trace && { trace }) };
    return this.#asks.ask((id) => this.outlet.send(Kind.HOST_CALL, 0, id, question, method, 2));
  }

  /** What a command says before it gives up the thread must not wait until it does. */
  #flushIfBlocked(): void {
    if (this.#runner.isInCommand) this.outlet.flush();
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
    this.arena?.takeFetched();
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
    const input = { callId: id, definition, args, meta, deadlineAt, wantsStream, credit };
    this.#runner.add(this.home.callOf?.(input, this) ?? new FrameCall(input, this));
  }

  /** The host has read these slices. */
  #release(bytes: Buffer, start: number, end: number): void {
    if (this.arena === undefined || (end - start) % 8 !== 0) throw new ProtocolViolation('a release makes no sense');
    for (let at = start; at < end; at += 8) this.arena.free([Number(bytes.readBigUInt64BE(at))]);
  }

  #refuseUnknown(id: number, name: string): void {
    this.outlet.sendError(Kind.ERROR, 0, id, unknownCommand(name, this.#byName.keys()));
  }

  #cancel(id: number, reason: CancelReason): void {
    const call = this.running.get(id) ?? this.#runner.findWaiting(this, id);
    if (call !== undefined) this.#runner.cancel(call, reason);
  }

  #credit(id: number, chunks: number): void {
    const call = this.running.get(id) ?? this.#runner.findWaiting(this, id);
    if (call !== undefined) this.#runner.credit(call, chunks);
  }
}
