import type { ErrorBody } from '../codec/index.js';
import { toError } from '../core/index.js';
import { BridgeProcess, type BridgeProgram } from './bridge-program.js';
import { ConformanceFailure } from './conformance-failure.js';
import { FakeHost } from './fake-host.js';
import { check, Mismatch, Silence } from './mismatch.js';
import type { CallOrder, OpenCall, Outcome } from './open-call.js';
import { show } from './show.js';
import type { Beginning } from './wires/beginning.js';
import { ChannelWire } from './wires/channel-wire.js';
import { FrameWire } from './wires/frame-wire.js';
import { StdioWire } from './wires/stdio-wire.js';
import type { Manifest, Wire, WireOwner, WireSettings } from './wires/wire.js';

/** How long nothing must come where nothing may. */
const SILENCE_MS = 100;

/** One process of the bridge under test, connected to a host that keeps strictly to the protocol. */
export class Bridge implements WireOwner {
  readonly host = new FakeHost();
  readonly process: BridgeProcess;
  readonly settings: WireSettings;
  /** How it broke the protocol; undefined while it has not. */
  violation: string | undefined;
  #wire: Wire | undefined;
  readonly #program: BridgeProgram;
  readonly #looks = new Set<() => void>();

  constructor(program: BridgeProgram, settings: WireSettings) {
    this.#program = program;
    this.settings = settings;
    this.process = new BridgeProcess(program, this.onChange);
  }

  /** Shakes hands. @throws Mismatch, or ConformanceFailure where there is no process */
  async connect(): Promise<void> {
    await this.process.spawned();
    switch (this.#program.protocol) {
      case 'v2':
        return await this.#openFrames();
      case 'v1':
        return await this.#openStdio();
      case 'grpc':
        return await this.#openChannel();
    }
  }

  /** What has gone over the wire first; undefined before it is connected, and over gRPC. */
  get beginning(): Beginning | undefined {
    return this.#wire?.beginning;
  }

  get wire(): Wire {
    if (this.#wire === undefined) throw new Error('the bridge is not connected');
    return this.#wire;
  }

  /** Of v2. */
  get frames(): FrameWire {
    if (!(this.#wire instanceof FrameWire)) throw new Error('this case is for v2');
    return this.#wire;
  }

  /** Of v1. */
  get stdio(): StdioWire {
    if (!(this.#wire instanceof StdioWire)) throw new Error('this case is for v1');
    return this.#wire;
  }

  get manifest(): Manifest {
    return this.wire.manifest;
  }

  readonly onChange = (): void => {
    for (const look of this.#looks) look();
  };

  readonly onViolation = (reason: string): void => {
    this.violation ??= reason;
    this.onChange();
  };

  // --- waiting -------------------------------------------------------------------------------------

  /** Waits until `look` sees something. @throws Mismatch after `timeoutMs`, and when the bridge is gone or broke the protocol */
  async until<T>(expected: string, look: () => T | undefined, timeoutMs: number = this.settings.answerMs): Promise<T> {
    return await new Promise((resolve, reject) => {
      const give = (settle: () => void): void => {
        clearTimeout(timer);
        this.#looks.delete(onChange);
        settle();
      };
      const onChange = (): void => {
        const seen = look();
        if (seen !== undefined) return give(() => resolve(seen));
        const lost = this.#lost();
        if (lost !== undefined) give(() => reject(new Mismatch(expected, lost)));
      };
      const timer = setTimeout(() => {
        give(() => reject(new Silence(expected, timeoutMs)));
      }, timeoutMs);
      this.#looks.add(onChange);
      onChange();
    });
  }

  /** Waits until the process has ended. */
  async exited(expected: string, timeoutMs: number = this.settings.answerMs): Promise<void> {
    const { process } = this;
    await new Promise<void>((resolve, reject) => {
      const give = (settle: () => void): void => {
        clearTimeout(timer);
        this.#looks.delete(onChange);
        settle();
      };
      const onChange = (): void => {
        if (process.exit !== undefined) give(resolve);
      };
      const timer = setTimeout(() => {
        give(() => reject(new Mismatch(expected, `a process that still runs after ${timeoutMs / 1000} seconds`)));
      }, timeoutMs);
      this.#looks.add(onChange);
      onChange();
    });
  }

  /** Looks on for a moment in which `count` must stay as it is: what must not come cannot be awaited. */
  async silence(what: string, count: () => number): Promise<void> {
    const before = count();
    await new Promise((resolve) => setTimeout(resolve, SILENCE_MS));
    check(count() === before, `no further ${what} behind the first ${before}`, () => `${count()} of them`);
  }

  // --- calls ---------------------------------------------------------------------------------------

  async outcome(call: OpenCall, expected = 'an answer', timeoutMs: number = this.settings.answerMs): Promise<Outcome> {
    return await this.until(expected, () => call.outcome, timeoutMs);
  }

  /** The result of a call. @throws Mismatch when it fails */
  async result(command: string, args?: unknown, more: Partial<CallOrder> = {}): Promise<unknown> {
    const call = this.wire.call({ command, args, ...more });
    return resultOf(command, await this.outcome(call, `the result of ${command}`));
  }

  /** The error of a call. @throws Mismatch when it succeeds */
  async failure(order: CallOrder): Promise<ErrorBody> {
    return errorOf(await this.outcome(this.wire.call(order), 'an error'));
  }

  /** All chunks of a stream, whose outcome comes beside them; grants credit as they come. */
  async stream(command: string, args?: unknown, more: Partial<CallOrder> = {}): Promise<OpenCall> {
    const call = this.wire.call({ command, args, stream: true, ...more });
    await this.drain(call);
    return call;
  }

  /** Grants credit to a stream as its chunks come, until it ends. */
  async drain(call: OpenCall): Promise<Outcome> {
    return await this.until('the end of the stream', () => {
      if (call.outcome === undefined && call.chunks.length === call.granted) this.wire.grant(call, 16);
      return call.outcome;
    });
  }

  /** @throws Mismatch unless it answers a call as it should */
  async checkAlive(): Promise<void> {
    const sum = await this.result('add', { a: 20, b: 22 });
    check(sum === 42, 'a worker that still adds 20 and 22', () => show(sum));
  }

  end(): void {
    this.#wire?.close();
    this.process.kill();
  }

  // --- opening -------------------------------------------------------------------------------------

  async #openFrames(): Promise<void> {
    const wire = new FrameWire(this.process.socket, this.settings, this);
    this.#wire = wire;
    wire.sayHello(this.process.worker);
    await this.until('a hello', () => wire.hasAnswered || undefined, this.settings.helloMs);
    if (wire.refusal === undefined) return;
    throw new Mismatch('a hello with a manifest', `a refusal: ${wire.refusal.message}`);
  }

  async #openStdio(): Promise<void> {
    const wire = new StdioWire(this.process, this.settings, this);
    this.#wire = wire;
    const [codec = 'json', ...others] = this.settings.codecs;
    if (others.length > 0) {
      wire.negotiate();
      await this.until('an answer to the negotiation', () => wire.negotiated, this.settings.helloMs);
      wire.use(wire.negotiated === 'msgpack' ? 'msgpack' : 'json');
    } else {
      wire.use(codec);
    }
    const ping = wire.ping();
    await this.until('an answer to the ping', () => wire.pongs.includes(ping) || undefined, this.settings.helloMs);
  }

  async #openChannel(): Promise<void> {
    const wire = new ChannelWire(this.process, this.settings, this);
    this.#wire = wire;
    const { helloMs } = this.settings;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Silence('a hello', helloMs));
      }, helloMs);
    });
    try {
      await Promise.race([wire.open(), late]);
    } catch (error) {
      if (error instanceof Mismatch || error instanceof ConformanceFailure) throw error;
      throw new Mismatch('an address on the lifeline, and a hello', toError(error).message);
    } finally {
      clearTimeout(timer);
    }
  }

  #lost(): string | undefined {
    if (this.violation !== undefined) return `a breach of the protocol: ${this.violation}`;
    if (this.process.exit !== undefined) return `the end of the process: ${this.process.describeExit()}`;
    return undefined;
  }
}

/** @throws Mismatch when it is none */
export function resultOf(command: string, outcome: Outcome): unknown {
  if (outcome.kind === 'result') return outcome.value;
  throw new Mismatch(`a result of ${command}`, describeOutcome(outcome));
}

/** @throws Mismatch when it is none */
export function errorOf(outcome: Outcome): ErrorBody {
  if (outcome.kind === 'error') return outcome.error;
  throw new Mismatch('an error', describeOutcome(outcome));
}

export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'result':
      return `the result ${show(outcome.value)}`;
    case 'end':
      return 'the end of a stream';
    case 'error':
      return `${outcome.error.code}: ${outcome.error.message}`;
  }
}
