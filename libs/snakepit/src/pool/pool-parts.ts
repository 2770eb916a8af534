import type { Clock, LogSink } from '../core/index.js';
import type { Launch } from '../worker/index.js';
import type { CallSurroundings } from './call-surroundings.js';
import type { HostCallHandler } from './host-request.js';
import type { ResolvedPoolOptions } from './options.js';
import type { SessionAffinity } from './seats.js';

/** What a pool is made with. */
export interface PoolParts {
  readonly name: string;
  readonly options: ResolvedPoolOptions;
  readonly instance: string;
  readonly hostEnv: NodeJS.ProcessEnv;
  readonly affinity: SessionAffinity;
  readonly onHostCall: HostCallHandler;
  /** What calls take from where they are made; default: nothing. */
  readonly surroundings?: CallSurroundings;
  /** Takes the spans that a worker has recorded, unchecked; default: they are dropped. */
  readonly onSpans?: (worker: string, spans: unknown) => void;
  readonly clock: Clock;
  readonly log: LogSink;
  /** How worker processes come into being, where it is not by spawning: simulations script theirs. */
  readonly launch?: Launch;
  /** From 0 up to 1, for what happens at random; default `Math.random`. */
  readonly random?: () => number;
}
