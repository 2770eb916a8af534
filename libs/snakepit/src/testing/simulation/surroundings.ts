import type { Timer } from '../../core/index.js';
import type { ExitCause } from '../../worker/index.js';
import type { ManualClock } from '../manual-clock.js';
import type { Journal } from './journal.js';
import type { Random } from './random.js';
import type { Conduct, Weather } from './script.js';

/** What is around a scripted process. */
export interface Surroundings {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly weather: Weather;
  readonly journal: Journal;
  nextPid(): number;
  /** Drawn once for each call and worker, so that looking at a frame twice changes nothing. */
  conductOf(worker: string, call: number, draw: () => Conduct): Conduct;
  /** How many items a call has, if it is a stream. */
  itemsOf(call: number): number;
  /** The host has written a call to a worker. */
  handed(worker: string, call: number): void;
  /** The host has written to a worker that a call is to stop. */
  askedToStop(worker: string, call: number): void;
  /** A worker is about to answer a call, with an error if there is a code. */
  answered(worker: string, call: number, code?: string): void;
  /** A worker is about to send what no worker may send. */
  broke(worker: string): void;
  /** The host is about to hear of a process's end. */
  gone(process: Body): void;
  note(text: string): void;
}

/** A process as the worker within it knows it. */
export interface Body {
  readonly id: string;
  readonly ownPid: number;
  readonly isGone: boolean;
  /** It heeds no SIGTERM, CANCEL and SHUTDOWN. */
  readonly isDeaf: boolean;
  /** Its host's writes find room. */
  readonly hasRoom: boolean;
  /** Does something later, unless the process is gone by then; a frozen one does nothing. */
  after(delayMs: number, act: () => void): Timer;
  send(bytes: Buffer): void;
  end(cause: ExitCause): void;
}
