import type { Channel, ChannelOwner } from '../../channel/index.js';
import { SnakepitError } from '../../core/index.js';
import type { TapContext, Wire } from '../../worker/index.js';
import { FakeProcess } from '../fake/fake-process.js';
import { passingOwner } from '../tap/passing-owner.js';

/** What no reader of frames, lines or numbers takes for anything: a length beyond every limit. */
const JUNK = Buffer.alloc(16, 0xff);

/** A worker that faults can befall, as its process and its connection let them. */
export class Patient {
  readonly id: string;
  readonly #context: TapContext;
  #wire: Wire | undefined;
  #hasRoom = true;
  #looksBusy = false;

  constructor(context: TapContext) {
    this.id = context.name.worker;
    this.#context = context;
    // It is there before there is a channel.
    context.process.wire.then(
      (wire) => (this.#wire = wire),
      () => {},
    );
  }

  /** What its channel tells: that it has room is passed on only where it does not look busy. */
  get owner(): ChannelOwner {
    const { owner } = this.#context;
    return passingOwner(owner, {
      onRoom: (hasRoom) => {
        this.#hasRoom = hasRoom;
        if (!this.#looksBusy) owner.onRoom(hasRoom);
      },
    });
  }

  /** Takes no calls any more, or as many as before. */
  lookBusy(looksBusy: boolean): void {
    if (this.#looksBusy === looksBusy) return;
    this.#looksBusy = looksBusy;
    this.#context.owner.onRoom(!looksBusy && this.#hasRoom);
  }

  /** @throws SnakepitError MISUSE for a worker that this host has not started */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    const { process: worker } = this.#context;
    if (worker instanceof FakeProcess) return signalFake(worker, signal);
    const pid = worker.pid ?? this.#refuse(`it has no process of this host that ${signal} could be sent to`);
    try {
      process.kill(-pid, signal);
    } catch {
      // It is gone.
    }
  }

  /**
   * What ends a fake as its own code would have; of a real one's ends, only that by SIGKILL can be had from outside.
   *
   * @throws SnakepitError MISUSE for a worker that this host has not started
   */
  crasher(how: { readonly status?: number; readonly signal?: NodeJS.Signals }): () => void {
    const { process: worker } = this.#context;
    if (worker instanceof FakeProcess) {
      return () => void (how.status === undefined ? worker.kill(how.signal ?? 'SIGSEGV') : worker.exit(how.status));
    }
    if (worker.pid === undefined) this.#refuse('it has no process of this host that could be killed');
    return () => this.signal('SIGKILL');
  }

  dropConnection(): void {
    const wire = this.#wire;
    switch (wire?.protocol) {
      case 'v2':
        return void wire.socket.destroy();
      case 'v1':
        return void (wire.stdin.destroy(), wire.stdout.destroy());
      case 'grpc':
      case 'grpc-v1':
        return this.#context.process.channelClosed('a fault has dropped the connection', 0, 0);
      case undefined:
        return;
    }
  }

  /** What makes its next bytes nonsense. @throws SnakepitError MISUSE over gRPC */
  babbler(channel: Channel): () => void {
    const source = channel.manifest.transport === 'grpc' ? undefined : sourceOf(this.#wire);
    if (source === undefined) this.#refuse('bytes cannot be put into a connection over gRPC');
    return () => source.emit('data', JUNK);
  }

  #refuse(reason: string): never {
    const { worker } = this.#context.name;
    throw new SnakepitError('MISUSE', { reason: `This fault cannot befall worker '${worker}': ${reason}.` });
  }
}

function sourceOf(wire: Wire | undefined): { emit(event: 'data', bytes: Buffer): unknown } | undefined {
  if (wire?.protocol === 'v2') return wire.socket;
  return wire?.protocol === 'v1' ? wire.stdout : undefined;
}

function signalFake(worker: FakeProcess, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  switch (signal) {
    case 'SIGKILL':
      return void worker.kill();
    case 'SIGSTOP':
      return worker.freeze();
    case 'SIGCONT':
      return worker.thaw();
  }
}
