import type { Launch } from '../../worker/index.js';
import { ManualClock } from '../manual-clock.js';
import { Journal } from './journal.js';
import type { Random } from './random.js';
import { FAIR, type Conduct, type Weather } from './script.js';
import { ScriptedProcess } from './scripted-process.js';
import type { Body, Surroundings } from './surroundings.js';

const FIRST_PID = 1_000;

/** Everything around the pool: time, chance, the processes and what they did. */
export class World implements Surroundings {
  readonly clock = new ManualClock();
  readonly journal = new Journal();
  readonly #processes = new Set<ScriptedProcess>();
  readonly #conducts = new Map<string, Conduct>();
  readonly #items = new Map<number, number>();
  #pid = FIRST_PID;
  #weather: Weather;

  constructor(
    readonly random: Random,
    weather: Weather,
    private readonly observer: WorldObserver,
  ) {
    this.#weather = weather;
  }

  get weather(): Weather {
    return this.#weather;
  }

  /** Processes that have not ended, and those whose end the host has yet to hear of. */
  get processes(): ReadonlySet<ScriptedProcess> {
    return this.#processes;
  }

  /** How many processes were started so far. */
  get launched(): number {
    return this.#pid - FIRST_PID;
  }

  readonly launch: Launch = (options) => {
    const process = new ScriptedProcess(this, options);
    this.#processes.add(process);
    this.note(`${process.id} is launched; it ${process.start === 'ready' ? 'will be ready' : process.start}`);
    return process;
  };

  /** From now on nothing new goes wrong. */
  clearUp(): void {
    this.#weather = FAIR;
  }

  nextPid(): number {
    this.#pid += 1;
    return this.#pid;
  }

  gone(process: Body): void {
    this.#processes.delete(process as ScriptedProcess);
    this.observer.onGone(process.id);
  }

  conductOf(worker: string, call: number, draw: () => Conduct): Conduct {
    const key = `${worker} ${call}`;
    let conduct = this.#conducts.get(key);
    if (conduct === undefined) this.#conducts.set(key, (conduct = draw()));
    return conduct;
  }

  itemsOf(call: number): number {
    let items = this.#items.get(call);
    if (items === undefined) this.#items.set(call, (items = this.random.integer(0, 12)));
    return items;
  }

  handed(worker: string, call: number): void {
    this.observer.onHanded(worker, call);
  }

  askedToStop(worker: string, call: number): void {
    this.observer.onAskedToStop(worker, call);
  }

  answered(worker: string, call: number, code?: string): void {
    if (code !== undefined) this.journal.fail(call, code);
    this.observer.onAnswered(worker, call);
  }

  broke(worker: string): void {
    this.journal.breakProtocol(worker);
  }

  note(text: string): void {
    this.observer.onNote(text);
  }
}

export interface WorldObserver {
  /** The host has written a call to a worker. */
  onHanded(worker: string, call: number): void;
  /** The host has written to a worker that a call is to stop. */
  onAskedToStop(worker: string, call: number): void;
  /** A worker is about to answer a call. */
  onAnswered(worker: string, call: number): void;
  /** The host is told of a worker's end. */
  onGone(worker: string): void;
  onNote(text: string): void;
}
