import { Flag, FrameReader, Kind } from '../../codec/index.js';
import { drawConduct, drawServiceMs, drawStartMs, type Conduct, type Start } from './script.js';
import { COMMANDS, ScriptedVoice } from './scripted-voice.js';
import type { Body, Surroundings } from './surroundings.js';

/** How many items of a stream a worker may send before it is granted more. */
export const STREAM_CREDIT = 4;
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
  readonly #voice: ScriptedVoice;
  readonly #reader = new FrameReader(MAX_FRAME_BYTES);
  /** The numbers of all calls it was ever handed, by their ids. */
  readonly #handed = new Map<number, number>();
  readonly #queue: Task[] = [];
  readonly #running = new Map<number, Task>();
  /** Tasks that wait for what they have asked their host, by the number of the question. */
  readonly #asking = new Map<number, Task>();
  readonly #parallel: number;
  /** It reads nothing while it runs something, as a worker with one thread does. */
  readonly #isBlocking: boolean;
  readonly #unread: Frame[] = [];
  readonly #isMuteWhileBusy: boolean;
  #isStopping = false;
  #questions = 0;

  constructor(world: Surroundings, process: Body, start: Start) {
    const { random, weather } = world;
    this.#world = world;
    this.#process = process;
    this.start = start;
    this.#voice = new ScriptedVoice(random, process);
    this.#isBlocking = random.chance(weather.blocking);
    this.#parallel = this.#isBlocking || random.chance(0.7) ? 1 : 4;
    this.#isMuteWhileBusy = this.#isBlocking || random.chance(weather.busyMute);
  }

  /** Cuts what the host has written into frames; tells the world which calls they hand over. */
  take(bytes: Buffer): Frame[] {
    const frames: Frame[] = [];
    this.#reader.push(bytes, {
      onFrame: (kind, flags, aux, id, chunk, start, end) => {
        const frame = { kind, flags, aux, id, body: Buffer.from(chunk.subarray(start, end)) };
        frames.push(frame);
        if (kind === Kind.CALL) this.#onHanded(frame);
        if (kind === Kind.CANCEL) this.#onAskedToStop(id);
      },
    });
    return frames;
  }

  #onHanded(frame: Frame): void {
    const { call } = this.#taskOf(frame);
    this.#handed.set(frame.id, call);
    this.#world.handed(this.#process.id, call);
  }

  #onAskedToStop(id: number): void {
    const call = this.#handed.get(id);
    if (call !== undefined) this.#world.askedToStop(this.#process.id, call);
  }

  read(frames: readonly Frame[]): void {
    this.#unread.push(...frames);
    this.#readOn();
  }

  #readOn(): void {
    while (!this.#process.isGone && this.#isReading) {
      const frame = this.#unread.shift();
      if (frame === undefined) return;
      this.#onFrame(frame);
    }
  }

  get #isReading(): boolean {
    if (!this.#isBlocking) return true;
    const asking = new Set(this.#asking.values());
    return [...this.#running.values()].every((task) => task.isHeld || asking.has(task));
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
      case Kind.HOST_RESULT:
      case Kind.HOST_ERROR:
        return this.#onTold(id);
      case Kind.PING:
        if (!this.#isMuteWhileBusy || this.#running.size === 0) this.#voice.sayEmpty(Kind.PONG, 0, id);
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
    this.#process.after(drawStartMs(random, this.start), () => {
      switch (this.start) {
        case 'refuses':
          this.#voice.refusal();
          return void this.#process.after(random.between(0, 5), () => this.#process.end({ kind: 'exit', status: 1 }));
        case 'exits':
          return this.#process.end({ kind: 'exit', status: 3 });
        case 'babbles':
          return this.#babble();
        case 'hangs':
          return;
        default:
          return this.#voice.hello(!this.#isMuteWhileBusy);
      }
    });
  }

  #taskOf({ id, flags, aux, body }: Frame): Task {
    const decoded = this.#voice.codec.decode(body, (flags & Flag.DEADLINE) === 0 ? 0 : 4, body.length, flags);
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
    // What it has said may have moved its host to kill it.
    while (!this.#process.isGone && this.#running.size < this.#parallel) {
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
    this.#process.after(drawServiceMs(random, task.command), () => {
      if (task.command === 'asks' && task.isRunning) this.#ask(task);
      else this.#act(task);
    });
  }

  /** Everything that a worker may say unasked, and a question that it waits to be answered. */
  #ask(task: Task): void {
    this.#voice.say(Kind.PROGRESS, 0, task.id, { n: task.call });
    this.#voice.say(Kind.LOG, 0, 0, { level: 'info', message: 'scripted' });
    this.#voice.say(Kind.EVENT, 0, 0, { name: 'scripted', data: task.call });
    this.#questions += 1;
    this.#asking.set(this.#questions, task);
    this.#voice.say(Kind.HOST_CALL, 0, this.#questions, { method: 'scripted', args: [task.call], call: task.id });
    this.#readOn();
  }

  #onTold(question: number): void {
    const task = this.#asking.get(question);
    if (task === undefined) return;
    this.#asking.delete(question);
    this.#act(task);
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
        return this.#goOn();
      case 'answers-another':
        this.#world.broke(this.#process.id);
        return this.#voice.say(Kind.RESULT, 0, (task.id + 0x1_0000) >>> 0, null);
      default:
        this.#succeed(task);
        if (task.conduct === 'answers-twice') {
          this.#world.broke(this.#process.id);
          this.#voice.say(Kind.RESULT, 0, task.id, null);
        }
        if (task.conduct === 'exits-after') return this.#process.end({ kind: 'exit', status: 0 });
        return this.#goOn();
    }
  }

  #succeed(task: Task): void {
    this.#end(task);
    this.#world.answered(this.#process.id, task.call);
    if (task.isStream) this.#voice.sayEmpty(Kind.END, this.#serviceUs(task), task.id);
    else this.#voice.say(Kind.RESULT, this.#serviceUs(task), task.id, { n: task.call });
  }

  /** One item after the other, as long as there is credit. */
  #walk(task: Task): void {
    task.isHeld = task.credit === 0;
    if (!task.isRunning) return;
    if (task.isHeld) return this.#readOn();
    task.credit -= 1;
    this.#process.after(drawServiceMs(this.#world.random, 'mixed'), () => {
      if (!task.isRunning) return;
      if (task.itemsLeft === 0) return this.#act(task);
      task.itemsLeft -= 1;
      this.#voice.say(Kind.CHUNK, 0, task.id, task.itemsLeft);
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
      this.#goOn();
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
    for (const [question, each] of this.#asking) if (each === task) this.#asking.delete(question);
    this.#world.journal.finish(task.call);
  }

  #goOn(): void {
    this.#runNext();
    this.#readOn();
  }

  #stopIfIdle(): void {
    if (!this.#isStopping || this.#running.size > 0 || this.#queue.length > 0 || this.#process.isDeaf) return;
    this.#process.after(this.#world.random.between(0, 2), () => this.#process.end({ kind: 'exit', status: 0 }));
  }

  #babble(): void {
    this.#world.broke(this.#process.id);
    this.#voice.babble();
  }

  #sendError(task: Task, body: Parameters<ScriptedVoice['error']>[2]): void {
    this.#world.answered(this.#process.id, task.call, body.code);
    this.#voice.error(task.id, task.beganAt === 0 ? 0 : this.#serviceUs(task), body);
  }

  #serviceUs({ beganAt }: Task): number {
    return Math.round((this.#world.clock.now() - beganAt) * 1_000);
  }
}
