import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { CODEC_NAMES, type CallMeta, type CancelReason, type ErrorBody } from 'nestjs-snakepit/codec';
import {
  CommandKind,
  type CallRequest,
  type CallMeta as RpcMeta,
  type HostBatch,
  type HostHello,
  type WorkerHelloInit,
} from 'nestjs-snakepit/codec/grpc';

import { CallRunner, cancelled } from '../call-runner.js';
import { unknownCommand } from '../failures.js';
import type { Command } from '../load-commands.js';
import { addLogLink, removeLogLink } from '../process-log.js';
import { SELF } from '../self-description.js';
import { Attachment } from './attachment.js';
import { ControlStream, type AttachRpc } from './control-stream.js';
import { failureOf, statusOf, type RpcStatus } from './failure-status.js';
import { GrpcCall } from './grpc-call.js';
import { Unattached, type GrpcLink } from './grpc-link.js';
import type { Grpc } from './load-grpc.js';
import { StreamReply, UnaryReply, type Reply, type StreamRpc, type UnaryAnswer, type UnaryRpc } from './reply.js';
import { Unsent } from './unsent.js';
import { ValueCodec } from './value-codec.js';

const CALLER: CancelReason = 1;
const DEADLINE: CancelReason = 2;
/** For callers that have not said theirs. */
const DEFAULT_MAX_DEPTH = 64;
const NO_META: CallMeta = {};

export interface GrpcWorkerParts {
  readonly grpc: Grpc;
  readonly commands: readonly Command[];
  readonly maxFrameBytes: number;
  /** Whether one host has started this worker, and may end it. */
  readonly isOwned: boolean;
  /** It takes no more calls. */
  readonly onShutdown: () => void;
  /** And has no more. */
  readonly onIdle: () => void;
}

/** The service `snakepit.v2.Worker`. */
export class GrpcWorker {
  readonly #parts: GrpcWorkerParts;
  readonly #byName: ReadonlyMap<string, Command>;
  readonly #attachments = new Map<number, Attachment>();
  readonly #unsent = new Unsent();
  readonly #runner = new CallRunner(this.#unsent);
  readonly #unattached: Unattached;
  #lastAttachment = 0;
  #isStopping = false;
  #willStart = false;

  constructor(parts: GrpcWorkerParts) {
    const { grpc, commands, maxFrameBytes } = parts;
    this.#parts = parts;
    this.#byName = new Map(commands.map((command) => [command.manifest.name, command]));
    const values = new ValueCodec('json', { maxFrameBytes, maxDepth: DEFAULT_MAX_DEPTH, keepsTypes: true });
    this.#unattached = new Unattached(grpc, values, (call, chunks) => this.#runner.credit(call, chunks));
  }

  handlers(): UntypedServiceImplementation {
    return {
      attach: (rpc: AttachRpc) => this.#attach(rpc),
      execute: (rpc: UnaryRpc, answer: UnaryAnswer) => this.#execute(rpc, answer),
      executeStream: (rpc: StreamRpc) => this.#executeStream(rpc),
    };
  }

  /** No more calls; tells when the last one has ended. */
  drain(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#parts.onShutdown();
    this.#runner.whenIdle(this.#parts.onIdle);
  }

  refuseCalls(): void {
    this.#isStopping = true;
  }

  /** Ends the control streams. */
  part(): void {
    for (const attachment of this.#attachments.values()) {
      removeLogLink(attachment);
      attachment.control.end();
    }
  }

  // --- attaching ---------------------------------------------------------------------------------

  #attach(rpc: AttachRpc): void {
    const control = new ControlStream(rpc);
    let attachment: Attachment | undefined;
    const leave = (): void => {
      if (attachment === undefined) return;
      attachment.leave();
      this.#attachments.delete(attachment.number);
    };
    rpc.on('data', ({ messages }: HostBatch) => {
      let rest = messages;
      if (attachment === undefined) {
        const [first, ...others] = messages;
        const welcomed = this.#welcome(first?.hello, control);
        if (!(welcomed instanceof Attachment)) return control.fail(welcomed);
        attachment = welcomed;
        rest = others;
      }
      try {
        for (const message of rest) attachment.receive(message);
      } catch (error) {
        leave();
        control.fail({ code: this.#parts.grpc.status.INVALID_ARGUMENT, details: (error as Error).message });
      }
    });
    rpc.on('end', () => {
      leave();
      control.end();
    });
    rpc.on('cancelled', leave);
  }

  #welcome(hello: HostHello | undefined, control: ControlStream): Attachment | RpcStatus {
    const { grpc, isOwned } = this.#parts;
    const refuse = (details: string): RpcStatus => ({ code: grpc.status.FAILED_PRECONDITION, details });
    if (this.#isStopping) return { code: grpc.status.UNAVAILABLE, details: 'the worker shuts down' };
    if (hello === undefined) return refuse('a control stream begins with a hello');
    if (isOwned && this.#attachments.size > 0) return refuse('the host that started this worker has attached already');
    const codec = hello.codecs.find((name) => CODEC_NAMES.some((known) => known === name)) as 'json' | undefined;
    if (!hello.protocol.includes(2)) return refuse(`this SDK speaks protocol 2, the host ${hello.protocol.join(', ')}`);
    if (codec === undefined) return refuse(`the host offers none of the codecs ${CODEC_NAMES.join(', ')}`);
    if (hello.maxFrameBytes < 1 || hello.maxDepth < 1 || hello.streamCredit < 1) {
      return refuse('the hello lacks max_frame_bytes, max_depth or stream_credit');
    }
    const maxFrameBytes = Math.min(hello.maxFrameBytes, this.#parts.maxFrameBytes);
    const { maxDepth, typedArrays: keepsTypes, streamCredit } = hello;
    const attachment = new Attachment({
      grpc,
      number: (this.#lastAttachment += 1),
      values: new ValueCodec(codec, { maxFrameBytes, maxDepth, keepsTypes }),
      streamCredit,
      control,
      runner: this.#runner,
      onShutdown: () => {
        // Whoever did not start this worker cannot end it.
        if (isOwned) this.drain();
      },
    });
    this.#attachments.set(attachment.number, attachment);
    control.send({ hello: this.#hello(codec, attachment.number, maxFrameBytes < hello.maxFrameBytes) });
    addLogLink(attachment, isOwned);
    return attachment;
  }

  #hello(codec: string, attachment: number, takesLess: boolean): WorkerHelloInit {
    const { commands, maxFrameBytes } = this.#parts;
    return {
      ...SELF,
      codec,
      // A synchronous command holds the only thread that could answer.
      silentWhileBusy: true,
      typedArrays: true,
      batches: true,
      attachment,
      maxFrameBytes: takesLess ? maxFrameBytes : 0,
      commands: commands.map(({ manifest: { name, kind, doc, schema, result, batch } }) => ({
        name,
        kind: kind === 'stream' ? CommandKind.STREAM : CommandKind.CALL,
        doc,
        schema: schema && JSON.stringify(schema),
        result: result && JSON.stringify(result),
        batch,
      })),
    };
  }

  // --- calls -------------------------------------------------------------------------------------

  #execute(rpc: UnaryRpc, answer: UnaryAnswer): void {
    const refusal = this.#refusalOf(rpc.request);
    if (refusal !== undefined) return answer(refusal);
    const link = this.#linkOf(rpc.request)!;
    let call: GrpcCall | undefined;
    const reply = new UnaryReply(rpc, answer, this.#unsent, () => this.#lost(call));
    call = this.#accept(rpc, link, reply, false);
  }

  #executeStream(rpc: StreamRpc): void {
    const refusal = this.#refusalOf(rpc.request);
    if (refusal !== undefined) return void rpc.emit('error', refusal);
    const link = this.#linkOf(rpc.request)!;
    let call: GrpcCall | undefined;
    const onLost = (): void => this.#lost(call);
    const onWritten = (chunks: number): void => {
      if (call !== undefined) link.written(call, chunks);
    };
    const reply = new StreamReply(rpc, this.#unsent, link.values.maxFrameBytes, onLost, onWritten);
    call = this.#accept(rpc, link, reply, true);
  }

  /** What only a broken host asks for, or one that has not heard yet that the worker stops. */
  #refusalOf(request: CallRequest): RpcStatus | undefined {
    const { status } = this.#parts.grpc;
    if (this.#isStopping) return { code: status.UNAVAILABLE, details: 'the worker shuts down' };
    const link = this.#linkOf(request);
    if (link === undefined) {
      return { code: status.FAILED_PRECONDITION, details: `there is no attachment ${request.attachment}` };
    }
    const problem = link instanceof Attachment ? link.refusalOf(request.id) : undefined;
    return problem === undefined ? undefined : { code: status.INVALID_ARGUMENT, details: problem };
  }

  #linkOf({ attachment }: CallRequest): Attachment | Unattached | undefined {
    return attachment === 0 ? this.#unattached : this.#attachments.get(attachment);
  }

  /** Undefined where the call was answered at once. */
  #accept(
    rpc: UnaryRpc | StreamRpc,
    link: Attachment | Unattached,
    reply: Reply,
    wantsStream: boolean,
  ): GrpcCall | undefined {
    const { request } = rpc;
    const failAtOnce = (error: ErrorBody): undefined => {
      reply.fail(statusOf(this.#parts.grpc, failureOf(error, link.values)));
    };
    if (link instanceof Attachment && link.takeEarlyCancel(request.id)) return failAtOnce(cancelled(false));
    const { commandName, command } = request;
    const definition = commandName === '' ? this.#parts.commands[command] : this.#byName.get(commandName);
    if (definition === undefined) {
      return failAtOnce(unknownCommand(commandName || `number ${command}`, this.#byName.keys()));
    }
    const args = readArguments(request, link);
    if ('refusal' in args) return failAtOnce(args.refusal);
    const { streamCredit: credit } = link;
    const meta = metaOf(request.meta);
    const deadlineAt = deadlineOf(rpc);
    const input = { callId: request.id, definition, args: args.value, meta, deadlineAt, wantsStream, credit };
    const call = new GrpcCall(input, link, reply);
    if (link instanceof Attachment) link.hold(call);
    this.#runner.add(call);
    this.#startSoon();
    return call;
  }

  /** What has been read together begins together, and a cancel that came along is seen. */
  #startSoon(): void {
    if (this.#willStart) return;
    this.#willStart = true;
    setImmediate(() => {
      this.#willStart = false;
      this.#runner.startCalls();
    });
  }

  /** The RPC ended before the call. */
  #lost(call: GrpcCall | undefined): void {
    if (call === undefined || call.hasEnded) return;
    this.#runner.cancel(call, call.isPastDeadline ? DEADLINE : CALLER);
  }
}

function readArguments(
  { body, tagged }: CallRequest,
  { values }: GrpcLink,
): { readonly value: unknown } | { readonly refusal: ErrorBody } {
  if (body.length > values.maxFrameBytes) {
    const message = `args of ${body.length} bytes exceed maxFrameBytes (${values.maxFrameBytes})`;
    return { refusal: { code: 'FRAME_TOO_LARGE', message, started: false } };
  }
  try {
    return { value: values.decode(body, tagged) };
  } catch (error) {
    const message = `the arguments cannot be read: ${(error as Error).message}`;
    return { refusal: { code: 'INVALID_ARGUMENTS', message } };
  }
}

function metaOf(meta: RpcMeta | undefined): CallMeta {
  if (meta === undefined) return NO_META;
  const { session, traceparent, tracestate, context, batch } = meta;
  return {
    ...(session !== '' && { session }),
    ...(traceparent !== '' && { trace: { traceparent, ...(tracestate !== '' && { tracestate }) } }),
    ...(context.size > 0 && { context: Object.fromEntries(context) }),
    ...(batch && { batch }),
  };
}

/** On the scale of `performance.now()`; Infinity without a deadline. */
function deadlineOf(rpc: UnaryRpc | StreamRpc): number {
  const deadline = rpc.getDeadline();
  if (deadline === Infinity) return Infinity;
  return performance.now() + (Number(deadline) - Date.now());
}
