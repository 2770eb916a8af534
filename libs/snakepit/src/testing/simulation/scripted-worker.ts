import {
  ByteWriter,
  createCodec,
  encodeHello,
  Flag,
  FrameReader,
  Kind,
  MAX_SERVICE_US,
  type Codec,
  type CommandManifest,
  type ErrorBody,
} from '../../codec/index.js';
import { drawConduct, drawServiceMs, type Conduct, type Start } from './script.js';
import type { Body, Surroundings } from './surroundings.js';

export const COMMANDS: readonly CommandManifest[] = [
  { name: 'fast', kind: 'call' },
  { name: 'slow', kind: 'call' },
  { name: 'mixed', kind: 'call' },
  { name: 'walk', kind: 'stream' },
];

const STREAM_CREDIT = 4;
const MAX_DEPTH = 16;
const MAX_FRAME_BYTES = 64 * 1024;

interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly aux: number;
  readonly id: number;
  readonly body: Buffer;
}

interface Task {
  readonly id: number;
  /** The number that the caller gave its call. */
  readonly call: number;
  readonly command: string;
  readonly isStream: boolean;
  readonly conduct: Conduct;
  credit: number;
  itemsLeft: number;
  beganAt: number;
  isRunning: boolean;
  /** A stream that waits for credit. */
  isHeld: boolean;
}

/** The worker's half of protocol v2, with real frames and codecs, that does what its script says. */
export class ScriptedWorker {
  readonly start: Start;
  readonly #world: Surroundings;
  readonly #process: Body;
  readonly #codec: Codec;
  readonly #out = new ByteWriter(1024);
  readonly #reader = new FrameReader(MAX_FRAME_BYTES);
  readonly #queue: Task[] = [];
  readonly #running = new Map<number, Task>();
  readonly #parallel: number;
  readonly #isMuteWhileBusy: boolean;
  #isStopping = false;

  constructor(world: Surroundings, process: Body, start: Start) {
    const { random, weather } = world;
    this.#world = world;
    this.#process = process;
    this.start = start;
    this.#codec = createCodec(random.chance(0.8) ? 'json' : 'msgpack', { maxDepth: MAX_DEPTH });
    this.#parallel = random.chance(0.7) ? 1 : 4;
    this.#isMuteWhileBusy = random.chance(weather.busyMute);
  }

  /** Cuts what the host has written into frames; tells the world which calls they hand over. */
  take(bytes: Buffer): Frame[] {
    const frames: Frame[] = [];
    this.#reader.push(bytes, {
      onFrame: (kind, flags, aux, id, chunk, start, end) => {
        const frame = { kind, flags, aux, id, body: Buffer.from(chunk.subarray(start, end)) };
        frames.push(frame);
        if (kind === Kind.CALL) this.#world.handed(this.#process.id, this.#taskOf(frame).call);
      },
    });
    return frames;
  }

  read(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (this.#process.isGone) return;
      this.#onFrame(frame);
    }
  }

  #onFrame(frame: Frame): void {
    const { kind, id } = frame;
    switch (kind) {
      case Kind.HELLO:
        return this.#onHello();
      case Kind.CALL:
        this.#queue.push(this.#taskOf(frame));
        return this.#runNext();
      case Kind.CANCEL:
        return this.#onCancel(id);
      case Kind.CREDIT:
        return this.#onCredit(id, frame.aux);
      case Kind.PING:
        if (!this.#isMuteWhileBusy || this.#running.size === 0) this.#sendEmpty(Kind.PONG, 0, id);
        return;
      case Kind.SHUTDOWN:
        this.#isStopping = true;
        return this.#stopIfIdle();
      default:
        return;
    }
  }

  #onHello(): void {
    const { random } = this.#world;
    this.#process.after(random.between(0.1, 20), () => {
      switch (this.start) {
        case 'ready':
          return this.#sayHello();
        case 'refuses':
          encodeHello({ error: { code: 'REMOTE_ERROR', type: 'ImportError', message: 'scripted' } }, this.#out);
          this.#flush();
          return void this.#process.after(random.between(0, 5), () => this.#process.end({ kind: 'exit', status: 1 }));
        case 'exits':
          return this.#process.end({ kind: 'exit', status: 3 });
        case 'babbles':
          return this.#babble();
        case 'hangs':
          return;
      }
    });
  }

  #sayHello(): void {
    const said = { name: 'scripted', version: '1' };
    encodeHello(
      {
        protocol: 2,
        codec: this.#codec.name,
        language: 'script',
        runtime: said,
        sdk: said,
        pid: this.#process.pid,
        answersWhileBusy: !this.#isMuteWhileBusy,
        typedArrays: true,
        arena: false,
        commands: COMMANDS,
      },
      this.#out,
    );
    this.#flush();
  }

  #taskOf({ id, flags, aux, body }: Frame): Task {
    const decoded = this.#codec.decode(body, (flags & Flag.DEADLINE) === 0 ? 0 : 4, body.length, flags);
    const args = (flags & Flag.META) === 0 ? decoded : (decoded as unknown[])[1];
    const call = (args as { n: number }).n;
    const command = COMMANDS[aux]!.name;
    const isStream = (flags & Flag.STREAM) !== 0;
    const { random } = this.#world;
    const conduct = this.#world.conductOf(this.#process.id, call, () => drawConduct(random, this.#world.weather));
    const itemsLeft = this.#world.itemsOf(call);
    const state = { credit: STREAM_CREDIT, itemsLeft, beganAt: 0, isRunning: false, isHeld: false };
    return { id, call, command, isStream, conduct, ...state };
  }

  #runNext(): void {
    while (this.#running.size < this.#parallel) {
      const task = this.#queue.shift();
      if (task === undefined) return this.#stopIfIdle();
      this.#begin(task);
    }
  }

  #begin(task: Task): void {
    const { journal, clock, random } = this.#world;
    if (task.conduct === 'refuses') {
      this.#sendError(task, { code: 'INVALID_ARGUMENTS', message: 'scripted', started: false });
      return;
    }
    task.isRunning = true;
    task.beganAt = clock.now();
    this.#running.set(task.id, task);
    journal.begin(task.call);
    this.#world.note(`${this.#process.id} begins ${task.call} (${task.command}), which ${task.conduct}`);
    if (task.isStream) return this.#walk(task);
    this.#process.after(drawServiceMs(random, task.command), () => this.#act(task));
  }

  #act(task: Task): void {
    if (!task.isRunning) return;
    switch (task.conduct) {
      case 'hangs':
        return;
      case 'dies':
        return this.#process.end({ kind: 'signal', signal: 'SIGSEGV' });
      case 'babbles':
        return this.#babble();
      case 'fails':
        this.#end(task);
        this.#sendError(task, { code: 'REMOTE_ERROR', type: 'ValueError', message: 'scripted' });
        return this.#runNext();
      case 'answers-another':
        return this.#send(Kind.RESULT, 0, (task.id + 0x1_0000) >>> 0, null);
      default:
        this.#succeed(task);
        if (task.conduct === 'answers-twice') this.#send(Kind.RESULT, 0, task.id, null);
        if (task.conduct === 'exits-after') return this.#process.end({ kind: 'exit', status: 0 });
        return this.#runNext();
    }
  }

  #succeed(task: Task): void {
    this.#end(task);
    const serviceUs = Math.min(MAX_SERVICE_US, Math.round((this.#world.clock.now() - task.beganAt) * 1_000));
    this.#world.answered(this.#process.id, task.call);
    if (task.isStream) this.#sendEmpty(Kind.END, serviceUs, task.id);
    else this.#send(Kind.RESULT, serviceUs, task.id, { n: task.call });
  }

  /** One item after the other, as long as there is credit. */
  #walk(task: Task): void {
    task.isHeld = task.credit === 0;
    if (!task.isRunning || task.isHeld) return;
    task.credit -= 1;
    this.#process.after(drawServiceMs(this.#world.random, 'mixed'), () => {
      if (!task.isRunning) return;
      if (task.itemsLeft === 0) return this.#act(task);
      task.itemsLeft -= 1;
      this.#send(Kind.CHUNK, 0, task.id, task.itemsLeft);
      this.#walk(task);
    });
  }

  #onCancel(id: number): void {
    const waiting = this.#queue.findIndex((task) => task.id === id);
    if (waiting >= 0) {
      const [task] = this.#queue.splice(waiting, 1);
      return this.#sendError(task!, { code: 'CANCELLED', message: 'cancelled', started: false });
    }
    const task = this.#running.get(id);
    if (task === undefined || this.#process.isDeaf || task.conduct === 'hangs') return;
    this.#process.after(this.#world.random.between(0, 2), () => {
      if (!task.isRunning) return;
      this.#end(task);
      this.#sendError(task, { code: 'CANCELLED', message: 'cancelled', started: true });
      this.#runNext();
    });
  }

  #onCredit(id: number, chunks: number): void {
    const task = this.#running.get(id) ?? this.#queue.find((each) => each.id === id);
    if (task === undefined) return;
    task.credit += chunks;
    if (task.isHeld) this.#walk(task);
  }

  #end(task: Task): void {
    task.isRunning = false;
    this.#running.delete(task.id);
    this.#world.journal.finish(task.call);
  }

  #stopIfIdle(): void {
    if (!this.#isStopping || this.#running.size > 0 || this.#queue.length > 0 || this.#process.isDeaf) return;
    this.#process.after(this.#world.random.between(0, 2), () => this.#process.end({ kind: 'exit', status: 0 }));
  }

  /** Bytes that are no frame, a frame that no worker sends, or one that is too long. */
  #babble(): void {
    const { random } = this.#world;
    const header = Buffer.alloc(12);
    header.writeUInt32BE(random.pick([0, 0xffff_ffff]));
    header[4] = random.pick([0x00, Kind.CALL, Kind.FORK, 0xff]);
    this.#process.send(header);
  }

  #sendError(task: Task, body: ErrorBody): void {
    this.#world.answered(this.#process.id, task.call);
    const serviceUs = task.beganAt === 0 ? 0 : Math.round((this.#world.clock.now() - task.beganAt) * 1_000);
    this.#send(Kind.ERROR, Math.min(MAX_SERVICE_US, serviceUs), task.id, body);
  }

  #send(kind: Kind, aux: number, id: number, value: unknown): void {
    const start = this.#out.beginFrame();
    const flags = this.#codec.encode(value, this.#out);
    this.#out.endFrame(start, kind, flags, aux, id);
    this.#flush();
  }

  #sendEmpty(kind: Kind, aux: number, id: number): void {
    this.#out.frame(kind, 0, aux, id);
    this.#flush();
  }

  #flush(): void {
    this.#process.send(Buffer.from(this.#out.take()));
  }
}
