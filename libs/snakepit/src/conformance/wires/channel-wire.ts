import type { BridgeProcess } from '../bridge-program.js';
import { openGrpcChannel, offerOnLifeline, Traffic, type Channel, type ChannelCall } from '../../channel/index.js';
import type { ErrorBody, EventBody, LogBody } from '../../codec/index.js';
import { systemClock, type SnakepitError } from '../../core/index.js';
import { GrpcEndpoint } from '../../worker/grpc-endpoint.js';
import { OpenCall, type CallOrder } from '../open-call.js';
import type { Manifest, Wire, WireOwner, WireSettings } from './wire.js';

/** Protocol v2 over gRPC, by the host's own channel: values instead of bytes, and what that channel checks is checked. */
export class ChannelWire implements Wire {
  readonly loose = { logs: [] as LogBody[], events: [] as EventBody[] };
  readonly pongs: number[] = [];
  isClosed = false;
  readonly endpoint = new GrpcEndpoint({
    listen: 'unix',
    host: '127.0.0.1',
    basePort: 0,
    portRange: 1,
    reflection: false,
  });
  /** Where the worker listens. */
  listening = '';
  readonly #process: BridgeProcess;
  readonly #settings: WireSettings;
  readonly #owner: WireOwner;
  readonly #calls = new Map<ChannelCall, OpenCall>();
  #channel: Channel | undefined;
  #heardAt = 0;

  constructor(process: BridgeProcess, settings: WireSettings, owner: WireOwner) {
    this.#process = process;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** @throws HandshakeRefused, ProtocolViolation and whatever else the handshake throws */
  async open(): Promise<void> {
    const { codecs, maxFrameBytes, maxDepth, streamCredit } = this.#settings;
    const { host, onChange, onViolation } = this.#owner;
    this.listening = await offerOnLifeline(this.#process.socket, this.endpoint.offer(maxFrameBytes));
    const name = { pool: 'conformance', worker: this.#process.worker };
    const target = this.endpoint.target(this.listening);
    this.#channel = await openGrpcChannel(
      { target, name, codecs, maxFrameBytes, maxDepth, streamCredit, clock: systemClock },
      {
        traffic: new Traffic(),
        onLog: (record, call) => {
          const open = call && this.#calls.get(call);
          if (open === undefined) this.loose.logs.push(record);
          else open.addLog(record);
          onChange();
        },
        onEvent: (event, data, call) => {
          const open = call && this.#calls.get(call);
          if (open === undefined) this.loose.events.push({ name: event, data });
          else open.addEvent({ name: event, data });
          onChange();
        },
        onHostCall: async ({ method, args, call }) => {
          const answer = host.answer(method, args, call && this.#calls.get(call));
          onChange();
          return await answer;
        },
        onRoom: () => {},
        onFailed: (failed) => {
          this.isClosed = true;
          if (failed.kind === 'protocol-error') onViolation(failed.reason);
          onChange();
        },
      },
    );
  }

  get manifest(): Manifest {
    const { codec, language, runtime, sdk, commands, answersWhileBusy, takesBatches } = this.#opened.manifest;
    return {
      codec,
      answersWhileBusy,
      typedArrays: true,
      batches: takesBatches === true,
      ...(language !== undefined && { language }),
      ...(runtime && { runtime }),
      ...(sdk && { sdk }),
      ...(commands && { commands }),
    };
  }

  call(order: CallOrder): OpenCall {
    const open = new OpenCall(order, this.#settings.streamCredit);
    const { onChange, onViolation } = this.#owner;
    const settled = (): void => {
      this.#calls.delete(call);
      onChange();
    };
    const now = systemClock.now();
    const { meta } = order;
    const call: ChannelCall = {
      command: String(order.command),
      args: order.args ?? {},
      kind: order.stream === true ? 'stream' : 'call',
      meta: meta as ChannelCall['meta'],
      deadline: order.deadlineMs === undefined ? Infinity : now + order.deadlineMs,
      onResult: (value, serviceUs) => {
        open.settle({ kind: 'result', value, serviceUs });
        settled();
      },
      onChunk: (value) => {
        const wrong = open.addChunk(value);
        if (wrong !== undefined) onViolation(wrong);
        onChange();
      },
      onEnd: (serviceUs) => {
        open.settle({ kind: 'end', serviceUs });
        settled();
      },
      onProgress: (value) => {
        open.addProgress(value);
        onChange();
      },
      onFailure: (error, serviceUs) => {
        open.settle({ kind: 'error', error: bodyOf(error), serviceUs });
        settled();
      },
    };
    this.#calls.set(call, open);
    open.id = this.#opened.send(call, now);
    return open;
  }

  cancel(call: OpenCall, reason: 'caller' | 'deadline'): void {
    this.#opened.cancel(call.id, reason);
  }

  grant(call: OpenCall, chunks: number): void {
    call.granted += chunks;
    this.#opened.grant(call.id, chunks);
  }

  /** The channel tells of heartbeats only that something came. */
  ping(): number {
    const channel = this.#opened;
    const id = this.pongs.length + 1;
    this.#heardAt = channel.lastHeardAt;
    channel.ping();
    const look = setInterval(() => {
      if (channel.lastHeardAt === this.#heardAt && !this.isClosed) return;
      clearInterval(look);
      if (channel.lastHeardAt !== this.#heardAt) this.pongs.push(id);
      this.#owner.onChange();
    }, 5);
    look.unref();
    return id;
  }

  sessionClosed(session: string): void {
    this.#opened.sessionClosed(session);
  }

  shutdown(): void {
    this.#opened.shutdown();
  }

  close(): void {
    this.#process.socket.destroy();
    this.#channel?.abandon();
    this.endpoint.close();
  }

  get #opened(): Channel {
    if (this.#channel === undefined) throw new Error('the bridge has not been attached to');
    return this.#channel;
  }
}

/** What the worker sent, from what the channel made of it. */
function bodyOf(error: SnakepitError): ErrorBody {
  const { code, delivery, remote } = error;
  const body = { code, message: remote?.message ?? error.message, started: delivery !== 'not-started' };
  if (remote === undefined) return body;
  const { type, traceback, data } = remote;
  return { ...body, type, ...(traceback !== '' && { traceback }), ...(data !== undefined && { data }) };
}
