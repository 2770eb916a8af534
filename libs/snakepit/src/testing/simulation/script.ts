import type { Random } from './random.js';

/** What becomes of a process that is started. */
export type Start = 'ready' | 'refuses' | 'exits' | 'hangs' | 'babbles';

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
  /** Ends of a process of which the host hears by its socket first. */
  readonly socketFirst: number;
}

export const FAIR: Weather = { badStart: 0, badCall: 0, deaf: 0, busyMute: 0, socketFirst: 0 };

export function drawWeather(random: Random): Weather {
  const share = (): number => (random.chance(0.5) ? 0 : random.pick([0.02, 0.1, 0.4]));
  return { badStart: share(), badCall: share(), deaf: share(), busyMute: share(), socketFirst: random.next() };
}

export function drawStart(random: Random, { badStart }: Weather): Start {
  return random.chance(badStart) ? random.pick(['refuses', 'exits', 'hangs', 'babbles']) : 'ready';
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
