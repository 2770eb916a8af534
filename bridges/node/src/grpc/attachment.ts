import { parseErrorBody, type CancelReason, type LogBody } from 'nestjs-snakepit/codec';
import type { FailureInit, HostMessage, HostReply } from 'nestjs-snakepit/codec/grpc';

import type { Call } from '../call.js';
import type { CallRunner } from '../call-runner.js';
import { cutLog, FrameTooLarge } from '../failures.js';
import { HostAsks } from '../host-asks.js';
import type { HostedCall } from '../hosted-call.js';
import { clipped, LogGate } from '../log-gate.js';
import { removeLogLink } from '../process-log.js';
import { SessionTracker } from '../session-tracker.js';
import type { ControlStream } from './control-stream.js';
import type { GrpcLink, RpcCall } from './grpc-link.js';
import type { Grpc } from './load-grpc.js';
import type { ValueCodec } from './value-codec.js';

/** Cancels that came before their calls. */
const MAX_EARLY_CANCELS = 1024;

/** Reason CALLER of a cancelled call. */
const CALLER: CancelReason = 1;
const DEADLINE: CancelReason = 2;

export interface AttachmentParts {
  readonly grpc: Grpc;
  readonly number: number;
  readonly values: ValueCodec;
  readonly streamCredit: number;
  readonly control: ControlStream;
  readonly runner: CallRunner;
  readonly onShutdown: () => void;
}

/** One host: its control stream, and the calls that name it. */
export class Attachment implements GrpcLink {
  readonly running = new Map<number, HostedCall>();
  readonly sessions = new SessionTracker();
  readonly grpc: Grpc;
  readonly number: number;
  readonly values: ValueCodec;
  readonly streamCredit: number;
  readonly control: ControlStream;
  readonly #runner: CallRunner;
  readonly #onShutdown: () => void;
  readonly #calls = new Map<number, RpcCall>();
  readonly #earlyCancels = new Set<number>();
  readonly #asks = new HostAsks();
  readonly #logGate = new LogGate((record) => this.#logPast(undefined, record));
  #hasLeft = false;

  constructor({ grpc, number, values, streamCredit, control, runner, onShutdown }: AttachmentParts) {
    this.grpc = grpc;
    this.number = number;
    this.values = values;
    this.streamCredit = streamCredit;
    this.control = control;
    this.#runner = runner;
    this.#onShutdown = onShutdown;
  }

  // --- what the host says ------------------------------------------------------------------------

  receive(message: HostMessage): void {
    const { credit, cancel, sessionClosed, shutdown, ping, hostReply } = message;
    if (credit !== undefined) this.#credit(credit.call, credit.chunks);
    else if (cancel !== undefined) this.#cancel(cancel.call, cancel.reason === DEADLINE ? DEADLINE : CALLER);
    else if (sessionClosed !== undefined) this.sessions.close(sessionClosed.session);
    else if (ping !== undefined) this.control.send({ pong: { id: ping.id } });
    else if (hostReply !== undefined) this.#answered(hostReply);
    else if (shutdown !== undefined) this.#onShutdown();
  }

  /** The host is gone: its calls are cancelled, and its sessions over. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    removeLogLink(this);
    this.#asks.rejectAll(new Error('the host has left'));
    for (const call of this.#calls.values()) this.#runner.cancel(call, CALLER);
    this.sessions.closeAll();
  }

  /** Undefined where the id can be used; else why not. */
  refusalOf(id: number): string | undefined {
    if (id === 0) return 'a call of an attachment needs an id';
    return this.#calls.has(id) ? `the call ${id} was made twice` : undefined;
  }

  hold(call: RpcCall): void {
    this.#calls.set(call.callId, call);
  }

  /** Whether the call was cancelled before it came. */
  takeEarlyCancel(id: number): boolean {
    return this.#earlyCancels.delete(id);
  }

  #credit(id: number, chunks: number): void {
    const call = this.#calls.get(id);
    if (call !== undefined) this.#runner.credit(call, chunks);
  }

  #cancel(id: number, reason: CancelReason): void {
    const call = this.#calls.get(id);
    if (call !== undefined) return this.#runner.cancel(call, reason);
    this.#earlyCancels.add(id);
    // Sets keep the order of insertion.
    if (this.#earlyCancels.size > MAX_EARLY_CANCELS)
      this.#earlyCancels.delete(this.#earlyCancels.values().next().value!);
    this.control.send({ released: { call: id } });
  }

  #answered({ id, result, failure }: HostReply): void {
    if (failure === undefined) return this.#asks.resolve(id, this.values.decodeBody(result));
    const data = failure.data === undefined ? undefined : this.values.decodeBody(failure.data);
    this.#asks.reject(id, parseErrorBody({ ...failure, data }));
  }

  // --- what a call sends -------------------------------------------------------------------------

  progress(call: Call, value: unknown): void {
    if (call.hasEnded) return;
    const body = this.values.encode(value ?? null, 'progress');
    const { reply } = call as RpcCall;
    if (reply.isOver || reply.progress(body)) return;
    this.#notice(call, (id) => this.control.send({ progress: { call: id, value: body } }, body.data?.length));
  }

  log(call: Call | undefined, record: LogBody): void {
    if (this.#logGate.admits()) this.#logPast(call, record);
  }

  #logPast(call: Call | undefined, given: LogBody): void {
    if (this.#hasLeft) return;
    const record = { ...given, message: clipped(String(given.message)) };
    this.#notice(call, (id) => {
      try {
        this.#sendLog(id, record);
      } catch (error) {
        this.#sendLog(id, cutLog(record, error));
      }
    });
  }

  emit(call: Call, name: string, data: unknown): void {
    const body = this.values.encode(data, 'event.data');
    const text = String(name);
    this.#notice(call, (id) => {
      this.control.send({ event: { call: id, name: text, data: body } }, text.length + (body.data?.length ?? 0));
    });
  }

  ask(call: Call, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.#asks.ask((id) => {
      if (this.#hasLeft) throw new Error('the host has left');
      const body = this.values.encode(args, method, 1);
      const question = { id, call: call.callId, method, args: body, ...call.callTrace?.header };
      this.control.send({ hostCall: question }, body.data?.length);
    });
  }

  release(call: RpcCall): void {
    this.control.send({ released: { call: call.callId, serviceUs: call.serviceUs } });
  }

  sendWhole(call: RpcCall, failure: FailureInit): void {
    const { message = '', traceback = '', data } = failure;
    const bytes = message.length + traceback.length + (data?.data?.length ?? 0);
    this.#notice(call, (id) => this.control.send({ failure: { call: id, failure } }, bytes));
  }

  written(): void {}

  forget(call: RpcCall): void {
    this.#calls.delete(call.callId);
  }

  /** Counts what names a call: its answer must not overtake it. */
  #notice(call: Call | undefined, send: (id: number) => void): void {
    if (call === undefined || call.hasEnded) return send(0);
    send(call.callId);
    (call as RpcCall).notices += 1;
  }

  #sendLog(call: number, { level, message, logger, fields }: LogBody): void {
    const text = String(message);
    const { maxFrameBytes } = this.values;
    const body = fields === undefined ? undefined : this.values.encode(fields, 'log.fields');
    const bytes = Buffer.byteLength(text) + (body?.data?.length ?? 0);
    if (bytes > maxFrameBytes) throw new FrameTooLarge('log', bytes, maxFrameBytes);
    this.control.send({ log: { call, level, message: text, logger, fields: body } }, bytes);
  }
}
