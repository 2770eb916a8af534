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
  #hasRoom = true;
  #looksBusy = false;

  constructor(context: TapContext) {
    this.id = context.name.worker;
    this.#context = context;
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

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    const { process: worker } = this.#context;
    if (worker instanceof FakeProcess) return signalFake(worker, signal);
    if (worker.pid === undefined)
      throw this.#unsupported(`it has no process of this host that ${signal} could be sent to`);
    try {
      process.kill(-worker.pid, signal);
    } catch {
      // It is gone.
    }
  }

  /** Ends a fake as its own code would have; of a real one's ends, only that by SIGKILL can be had from outside. */
  crash(how: { readonly status?: number; readonly signal?: NodeJS.Signals }): void {
    const { process: worker } = this.#context;
    if (!(worker instanceof FakeProcess)) return this.signal('SIGKILL');
    void (how.status === undefined ? worker.kill(how.signal ?? 'SIGSEGV') : worker.exit(how.status));
  }

  async dropConnection(): Promise<void> {
    const { process: worker } = this.#context;
    const wire = await worker.wire;
    switch (wire.protocol) {
      case 'v2':
        return void wire.socket.destroy();
      case 'v1':
        return void (wire.stdin.destroy(), wire.stdout.destroy());
      case 'grpc':
      case 'grpc-v1':
        return worker.channelClosed('a fault has dropped the connection', 0, 0);
    }
  }

  /** Its next bytes make no sense. */
  async babble(channel: Channel | undefined): Promise<void> {
    const wire = await this.#context.process.wire;
    const source = channel?.manifest.transport === 'grpc' ? undefined : sourceOf(wire);
    if (source === undefined) throw this.#unsupported('bytes cannot be put into a connection over gRPC');
    source.emit('data', JUNK);
  }

  #unsupported(reason: string): SnakepitError {
    const { worker } = this.#context.name;
    return new SnakepitError('MISUSE', { reason: `This fault cannot befall worker '${worker}': ${reason}.` });
  }
}

function sourceOf(wire: Wire): { emit(event: 'data', bytes: Buffer): unknown } | undefined {
  if (wire.protocol === 'v2') return wire.socket;
  return wire.protocol === 'v1' ? wire.stdout : undefined;
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
