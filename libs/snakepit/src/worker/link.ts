import { STREAM_CREDIT, type Channel, type ChannelName, type ChannelOwner } from '../channel/index.js';
import { createArenaFile, type ArenaFile } from '../codec/index.js';
import { toError, type Clock, type LogRecord } from '../core/index.js';
import { GrpcEndpoint } from './grpc-endpoint.js';
import type { WorkerSpec } from './launch-spec.js';
import { openChannel } from './open-channel.js';
import type { Wire, WorkerProcess } from './process.js';
import { ARENA_FD } from './spawned-process.js';
import type { Tap } from './tap.js';
import type { WorkerSettings } from './worker-settings.js';

export interface LinkParts {
  readonly name: ChannelName;
  readonly spec: WorkerSpec;
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly tell: (level: LogRecord['level'], message: string) => void;
}

/** What a host has at hand to talk with one worker: shared memory, where it is to serve gRPC, and the channel that uses them. */
export class Link {
  readonly #parts: LinkParts;
  readonly #arena: ArenaFile | undefined;
  /** Where it serves gRPC, if the host has started it to do so. */
  #endpoint: GrpcEndpoint | undefined;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#arena = createArena(parts);
  }

  /** The host's descriptor of the shared memory. */
  get arenaFd(): number | undefined {
    return this.#arena?.fd;
  }

  /** Opens the channel, by whatever the process can be talked with through. @throws what the handshakes throw, or the tap refuses by */
  open(wire: Wire, process: WorkerProcess, owner: ChannelOwner): Promise<Channel> {
    const { name, spec, settings, clock } = this.#parts;
    const { thresholdBytes } = settings.arena;
    const arena = this.#arena && { file: this.#arena, fd: ARENA_FD, thresholdBytes };
    if (wire.protocol === 'v2' && 'grpc' in spec && spec.grpc !== undefined)
      this.#endpoint = new GrpcEndpoint(spec.grpc, spec.privileges);
    const { codec } = spec;
    const endpoint = this.#endpoint;
    const tap = spec.tap?.({ name, process, owner, clock, streamCredit: settings.streamCredit ?? STREAM_CREDIT });
    const order = { wire, name, codec, settings, arena, endpoint, clock, owner: tap?.owner ?? owner };
    const opened = openChannel(order);
    return tap === undefined ? opened : opened.then((channel) => connected(channel, tap));
  }

  /** To be called when the process is gone. */
  close(): void {
    this.#arena?.close();
    this.#endpoint?.close();
  }
}

/** Undefined where there is no use for it, or no memory to share: then large binary travels in frames. */
function createArena({ spec, settings, tell }: LinkParts): ArenaFile | undefined {
  const { enabled, mapped, bytes } = settings.arena;
  if (!enabled || !('executable' in spec) || spec.protocol === 'v1' || spec.grpc !== undefined) return undefined;
  try {
    return createArenaFile(2 * bytes, mapped, (error) =>
      tell('warn', `the memory for large binary cannot be mapped by koffi (${toError(error).message})`),
    );
  } catch (error) {
    tell('debug', `there is no shared memory for large binary (${toError(error).message})`);
    return undefined;
  }
}

/** @throws what the tap refuses the start by; nobody uses the channel then */
function connected(channel: Channel, tap: Tap): Channel {
  try {
    return tap.connect(channel);
  } catch (error) {
    channel.abandon();
    throw error;
  }
}
