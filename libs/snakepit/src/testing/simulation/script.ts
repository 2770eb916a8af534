import type { Random } from './random.js';

/**
 * What becomes of a process that is started: `late` is ready too, but has its pid and its connection only after a while, as a forked one
 * does; `slow` takes so long that some limits on starts are passed; `never` could not be started at all.
 */
export type Start = 'ready' | 'late' | 'slow' | 'never' | 'refuses' | 'exits' | 'hangs' | 'babbles';

/** What a worker does with one call. */
export type Conduct =
  'answers' | 'fails' | 'refuses' | 'hangs' | 'dies' | 'babbles' | 'answers-twice' | 'answers-another' | 'exits-after';

/** How often things go wrong in one schedule; all shares are probabilities. */
export interface Weather {
  readonly badStart: number;
  readonly badCall: number;
  /** Workers that do not heed SIGTERM, CANCEL, or SHUTDOWN. */
  readonly deaf: number;
  /** Workers that answer heartbeats only while they run nothing. */
  readonly busyMute: number;
  /** Workers that read nothing while they run something. */
  readonly blocking: number;
  /** Starts that are late but well. */
  readonly late: number;
  /** Ends of a process of which the host hears by its socket first. */
  readonly socketFirst: number;
}

export const FAIR: Weather = {
  badStart: 0,
  badCall: 0,
  deaf: 0,
  busyMute: 0,
  blocking: 0,
  late: 0,
  socketFirst: 0,
};

export function drawWeather(random: Random): Weather {
  const share = (): number => (random.chance(0.5) ? 0 : random.pick([0.02, 0.1, 0.4]));
  return {
    badStart: share(),
    badCall: share(),
    deaf: share(),
    busyMute: share(),
    blocking: random.pick([0, 0, 0.3, 1]),
    late: random.pick([0, 0.3, 1]),
    socketFirst: random.next(),
  };
}

export function drawStart(random: Random, { badStart, late }: Weather): Start {
  if (random.chance(badStart)) return random.pick(['refuses', 'exits', 'hangs', 'babbles', 'slow', 'never']);
  return random.chance(late) ? 'late' : 'ready';
}

/** From the host's hello to the worker's, in milliseconds. */
export function drawStartMs(random: Random, start: Start): number {
  return start === 'slow' ? random.between(20, 130) : random.between(0.1, 20);
}

const BAD_CONDUCT = [
  'fails',
  'refuses',
  'hangs',
  'dies',
  'babbles',
  'answers-twice',
  'answers-another',
  'exits-after',
] as const satisfies readonly Conduct[];

export function drawConduct(random: Random, { badCall }: Weather): Conduct {
  return random.chance(badCall) ? random.pick(BAD_CONDUCT) : 'answers';
}

/** How long a command runs, in milliseconds. */
export function drawServiceMs(random: Random, command: string): number {
  switch (command) {
    case 'fast':
      return random.between(0.005, 0.1);
    case 'slow':
      return random.between(2, 40);
    default:
      return random.chance(0.1) ? random.between(2, 60) : random.between(0.01, 1);
  }
}
