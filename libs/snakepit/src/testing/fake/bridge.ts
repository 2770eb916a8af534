import { pathToFileURL } from 'node:url';

import { locateBridge } from '../../adapters/bridge-location.js';
import type { ErrorBody } from '../../codec/index.js';
import type { Clock } from '../../core/index.js';
import type { FakeContext, FakeWorker } from './context.js';

/** A call as the worker SDK has it. */
export interface BridgeCall {
  readonly command: string;
  readonly args: unknown;
  readonly meta: {
    readonly session?: string;
    readonly context?: Readonly<Record<string, string>>;
    readonly trace?: FakeContext['trace'];
  };
  readonly wantsStream: boolean;
  readonly signal: AbortSignal;
}

export interface BridgeObserver {
  onItem(call: BridgeCall, value: unknown): void;
  onResult(call: BridgeCall, value: unknown): void;
  onEnd(call: BridgeCall): void;
  onError(call: BridgeCall, error: ErrorBody): void;
}

export interface BridgeHooks {
  readonly start: (() => unknown)[];
  readonly shutdown: (() => unknown)[];
  readonly sessionOpen: ((session: FakeContext['session']) => unknown)[];
  readonly sessionClose: ((sessionId: string) => unknown)[];
}

export interface BridgeWorkerParts {
  readonly exported: Readonly<Record<string, unknown>>;
  readonly origin: string;
  readonly hooks: BridgeHooks;
  readonly socket: {
    write(bytes: Buffer, onTaken: () => void): unknown;
    end(onEnded: () => void): unknown;
  };
  readonly clock: Pick<Clock, 'now'>;
  readonly observer: BridgeObserver;
  readonly worker: FakeWorker;
  around(call: BridgeCall, run: () => unknown): unknown;
  onExit(status: number): void;
}

export interface BridgeWorker {
  read(bytes: Buffer): void;
  stop(): Promise<void>;
  abandon(): void;
}

/** The Node.js SDK's worker for one that lives in its host's process. */
export interface Bridge {
  readonly InProcessWorker: new (parts: BridgeWorkerParts) => BridgeWorker;
}

/** The SDK is a package of its own, beside this one or within it; so that a fake runs what real workers run. */
export async function loadBridge(): Promise<Bridge> {
  const path = pathToFileURL(locateBridge('node/dist/in-process.js')).href;
  return (await import(path)) as Bridge;
}
