import { HandshakeRefused, type GrpcTarget } from '../channel/index.js';
import { toError } from '../core/index.js';
import type { ExitCause } from './exit-cause.js';
import { isTaken, reservePort, type ReservedPort } from './free-port.js';
import type { GrpcListenSpec } from './launch-spec.js';
import { isPortOfGroup } from './port-owner.js';
import type { ProcessOptions } from './process-options.js';
import type { Wire, WorkerProcess } from './process.js';
import { SpawnedProcess } from './spawned-process.js';
import { withFreshMark } from './worker-environment.js';

/** How often a bridge that has lost its port to somebody else is started on another one. */
const MAX_ATTEMPTS = 5;
/** What a bridge prints on stdout when it has a port, with 0 in place of the port when it has none. */
const READY_LINE = /^GRPC_SERVER_READY_ON_PORT=(\d+)\s*$/;

const OTHER_PORTS = `Choose ports that nobody else uses by 'grpc.basePort' and 'grpc.portRange'; basePort 0 takes any free port.`;

/**
 * A gRPC bridge of the ancestor's, which is told by `--port` where to listen. To its owner it is one process, however often it has to be
 * started until it has the port to itself.
 */
export class BridgeProcess implements WorkerProcess {
  readonly wire: Promise<Wire>;
  readonly #options: ProcessOptions;
  readonly #abort = new AbortController();
  #process: SpawnedProcess | undefined;
  #port: ReservedPort | undefined;
  #attempts = 0;
  #args: readonly string[] | undefined;
  #isReady = false;
  /** Somebody else has the port, or shares it. */
  #hasLostPort = false;
  #isUnwanted = false;
  #resolveWire: (wire: Wire) => void = () => {};
  #rejectWire: (error: Error) => void = () => {};

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.wire = new Promise((resolve, reject) => {
      this.#resolveWire = resolve;
      this.#rejectWire = reject;
    });
    void this.#start();
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get stderrTail(): string {
    return this.#process?.stderrTail ?? '';
  }

  get args(): readonly string[] | undefined {
    return this.#args;
  }

  get awaits(): string | undefined {
    return this.#isReady
      ? undefined
      : `it has not printed the line GRPC_SERVER_READY_ON_PORT=${this.#port?.port ?? 'N'}`;
  }

  terminate(graceMs: number): void {
    this.#isUnwanted = true;
    this.#process?.terminate(graceMs);
  }

  /** There is no way to ask a bridge to leave but its signal. */
  terminateAfter(_delayMs: number, graceMs: number): void {
    this.terminate(graceMs);
  }

  channelClosed(reason: string | undefined, delayMs: number, graceMs: number): void {
    this.#isUnwanted = true;
    this.#process?.channelClosed(reason, delayMs, graceMs);
  }

  async #start(): Promise<void> {
    const { spec } = this.#options;
    try {
      this.#port = await reservePort(listenOf(spec));
    } catch (error) {
      return this.#cannotStart(toError(error));
    }
    if (this.#isUnwanted) return this.#cannotStart(new HandshakeRefused('it was stopped before it was started'));
    const { port } = this.#port;
    this.#attempts += 1;
    this.#hasLostPort = false;
    this.#args = [...spec.args, '--port', String(port)];
    this.#process = new SpawnedProcess({
      ...this.#options,
      spec: { ...spec, args: this.#args },
      env: withFreshMark(this.#options.env),
      owner: {
        onLine: (stream, line) => this.#onLine(stream, line, port),
        onExit: (cause) => void this.#onExit(cause, port),
      },
    });
  }

  #onLine(stream: 'stdout' | 'stderr', line: string, port: number): void {
    const said = this.#isReady || stream === 'stderr' ? undefined : READY_LINE.exec(line)?.[1];
    if (said === undefined) return this.#options.owner.onLine(stream, line);
    if (Number(said) === port) return this.#onReady(port);
    this.#hasLostPort = true;
    this.#process?.terminate(0);
  }

  #onReady(port: number): void {
    this.#isReady = true;
    const { host } = listenOf(this.#options.spec);
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const target: GrpcTarget = { address, token: undefined, tls: undefined, isOwn: true };
    this.#resolveWire({ protocol: 'grpc-v1', target, signal: this.#abort.signal, confirm: () => this.#confirm(port) });
  }

  async #confirm(port: number): Promise<void> {
    const pid = this.#process?.pid;
    if (pid !== undefined && !this.#abort.signal.aborted && (await isPortOfGroup(port, pid)) !== false) return;
    throw new HandshakeRefused(`another process listens on port ${port} too`, { remedy: OTHER_PORTS });
  }

  async #onExit(cause: ExitCause, port: number): Promise<void> {
    const hasLostPort = this.#hasLostPort || (this.#mayTryAgain(cause) && (await isTaken(port)));
    this.#port?.release();
    if (hasLostPort && this.#mayTryAgain(cause)) return this.#start();
    if (hasLostPort)
      this.#rejectWire(
        new HandshakeRefused(`port ${port} was taken before it could listen there`, { remedy: OTHER_PORTS }),
      );
    this.#end(cause);
  }

  #mayTryAgain(cause: ExitCause): boolean {
    return cause.kind !== 'not-spawned' && !this.#isReady && !this.#isUnwanted && this.#attempts < MAX_ATTEMPTS;
  }

  #cannotStart(error: Error): void {
    this.#port?.release();
    this.#rejectWire(error);
    this.#end({ kind: 'not-spawned', message: error.message });
  }

  /** The owner hears of the reason, which comes by the wire, before it hears of the end. */
  #end(cause: ExitCause): void {
    this.#abort.abort();
    setImmediate(() => this.#options.owner.onExit(cause));
  }
}

function listenOf({ grpc }: ProcessOptions['spec']): GrpcListenSpec {
  if (grpc === undefined) throw new Error('a bridge over gRPC is to be started without a word on how it listens');
  return grpc;
}
