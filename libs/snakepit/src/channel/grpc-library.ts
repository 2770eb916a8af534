import { SnakepitError } from '../core/index.js';

/*
 * The part of @grpc/grpc-js that is used here. It is written down, instead of taken from that package's types, because
 * the package is an optional peer: without it, our own declarations must still compile.
 *
 * Calls are made by `Channel.createCall`, below the interceptors of grpc-js's Client: a pool's calls need neither those nor the
 * stack trace and the event emitter that Client makes for each call.
 */

export interface GrpcMetadata {
  set(key: string, value: string): void;
  get(key: string): ReadonlyArray<string | Buffer>;
}

export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: GrpcMetadata;
}

export interface GrpcListener {
  onReceiveMetadata(metadata: GrpcMetadata): void;
  onReceiveMessage(message: Buffer): void;
  /** Called once, and last. */
  onReceiveStatus(status: GrpcStatus): void;
}

/** One RPC. The next message may be sent when the callback of the one before was called. */
export interface GrpcRpc {
  start(metadata: GrpcMetadata, listener: GrpcListener): void;
  sendMessageWithContext(context: { readonly callback?: () => void }, message: Buffer): void;
  /** Asks for one message. */
  startRead(): void;
  halfClose(): void;
  cancelWithStatus(code: number, details: string): void;
}

export interface GrpcClientChannel {
  createCall(path: string, deadline: number, host: undefined, parent: null, propagate: undefined): GrpcRpc;
  getConnectivityState(tryToConnect: boolean): number;
  close(): void;
}

export interface GrpcLibrary {
  readonly Channel: new (
    target: string,
    credentials: object,
    options: Readonly<Record<string, string | number>>,
  ) => GrpcClientChannel;
  readonly Metadata: new () => GrpcMetadata;
  readonly credentials: {
    createInsecure(): object;
    createSsl(ca?: Buffer | null, key?: Buffer | null, certificate?: Buffer | null): object;
  };
}

/** @throws SnakepitError MISUSE where the package is not installed */
export async function loadGrpcLibrary(): Promise<GrpcLibrary> {
  try {
    return (await import('@grpc/grpc-js')) as unknown as GrpcLibrary;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const reason = 'Workers over gRPC need the package @grpc/grpc-js. Install it: npm install @grpc/grpc-js';
    throw new SnakepitError('MISUSE', { reason }, { cause });
  }
}
