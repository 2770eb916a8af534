import { setImmediate, setInterval } from 'node:timers';

import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

import { SnakepitError } from '../../core/index.js';
import { DEFAULT_POOL, Snakepit, type Clock } from '../../runtime/index.js';
import type { FakeAdapter } from '../fake/fake-adapter.js';
import type { FakeCall } from '../fake/journal.js';
import type { Faults } from '../faults/faults.js';
import type { FaultyAdapter } from '../faults/with-faults.js';
import { ManualClock } from '../manual-clock.js';

/** Turns of the event loop in which what was sent arrives, is answered, and the answer arrives. */
const TURNS = 5;
/** How fast time goes once the application shuts down, so that nothing of it waits for a clock that stands. */
const SHUTDOWN_TICK_MS = 1;
const SHUTDOWN_STEP_MS = 100;

/** What a test has in hand of the workers of the application that it tests: `app.get(SnakepitTesting)`. */
@Injectable()
export class SnakepitTesting implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  #ticking: NodeJS.Timeout | undefined;

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly adapters: ReadonlyMap<string, FaultyAdapter>,
    /** The clock of pools and sessions, if one was given. */
    readonly clock: Clock | undefined,
  ) {}

  /** The fake that a pool has. @throws SnakepitError MISUSE where it has another adapter, or there is no such pool */
  fake(pool = DEFAULT_POOL): FakeAdapter {
    const adapter = this.#adapter(pool);
    if ('calls' in adapter) return adapter as FakeAdapter;
    throw new SnakepitError('MISUSE', {
      reason: `The workers of pool '${pool}' are no fakes: it was given an adapter.`,
    });
  }

  /** Faults of a pool's workers. */
  faults(pool = DEFAULT_POOL): Faults {
    return this.#adapter(pool).faults;
  }

  /** Calls that have reached a command of a pool's fake. */
  calls(command?: string, pool = DEFAULT_POOL): readonly FakeCall[] {
    return this.fake(pool).calls(command);
  }

  /** Clears all faults and forgets all calls, between two tests of one application. */
  reset(): void {
    for (const adapter of this.adapters.values()) {
      adapter.faults.clear();
      if ('clearCalls' in adapter) (adapter as FakeAdapter).clearCalls();
    }
  }

  /** Lets what is on its way arrive, then so much time pass, then what follows from that happen. @throws SnakepitError MISUSE without a ManualClock */
  async advance(ms: number): Promise<void> {
    if (!(this.clock instanceof ManualClock)) {
      const reason =
        'Time can be made to pass on a ManualClock only: SnakepitTestingModule.forRoot(pools, { clock: new ManualClock() }).';
      throw new SnakepitError('MISUSE', { reason });
    }
    const { clock } = this;
    const end = clock.now() + ms;
    await settled();
    // Timer by timer: what a worker answers to one, such as a heartbeat, has to be there before the next.
    while (clock.now() < end) {
      clock.advance(Math.min(end, clock.nextDueAt) - clock.now());
      await settled();
    }
  }

  onApplicationBootstrap(): void {
    if (this.#snakepits.length > 0) return;
    const reason = 'SnakepitTestingModule is imported, but there is no SnakepitModule whose workers it could replace.';
    throw new SnakepitError('MISUSE', { reason });
  }

  onModuleDestroy(): void {
    for (const { faults } of this.adapters.values()) faults.clear();
    const { clock } = this;
    if (!(clock instanceof ManualClock)) return;
    this.#ticking = setInterval(() => clock.advance(SHUTDOWN_STEP_MS), SHUTDOWN_TICK_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#snakepits.map((snakepit) => snakepit.close()));
    clearInterval(this.#ticking);
  }

  get #snakepits(): readonly Snakepit[] {
    try {
      return this.moduleRef.get(Snakepit, { strict: false, each: true });
    } catch {
      return [];
    }
  }

  #adapter(pool: string): FaultyAdapter {
    const adapter = this.adapters.get(pool);
    if (adapter !== undefined) return adapter;
    const known = [...this.adapters.keys()].join(', ');
    throw new SnakepitError('MISUSE', {
      reason: `SnakepitTestingModule.forRoot has no pool '${pool}'; it has: ${known}.`,
    });
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}
