import { setImmediate } from 'node:timers';

import { HandshakeRefused, type Channel, type ChannelCall } from '../../channel/index.js';
import { SnakepitError } from '../../core/index.js';
import type { PoolService } from '../../runtime/index.js';
import type { OpenTap, Tap, TapContext } from '../../worker/index.js';
import { Relay } from '../tap/relay.js';
import { RelayingChannel, type RelayMaker } from '../tap/relaying-channel.js';
import { CallFault, type Fault, type FaultScope } from './fault.js';
import type { CrashScope, Faults } from './faults.js';
import { failureOf, type FaultError } from './failure-of.js';
import { Patient } from './patient.js';
import { fillQueue } from './queue-filler.js';
import { DelayedCall, FailedCall, HungCall, KeptCall, type Held } from './struck-calls.js';
import { requireSendable } from './sendable.js';

interface Ward {
  readonly context: TapContext;
  readonly channel: Channel;
  readonly patient: Patient;
}

/** A fault, and what it does to a call that it strikes: a relay, or undefined where the call goes on as it is. */
interface Order {
  readonly fault: CallFault;
  readonly strike: (call: ChannelCall, ward: Ward) => Relay | undefined;
}

type Hold = (call: ChannelCall, ward: Ward) => Relay & Held;

/** Holds the faults of one adapter's workers, and strikes by them. */
export class FaultDesk implements Faults {
  readonly #patients = new Set<Patient>();
  readonly #kept = new Set<KeptCall>();
  readonly #standing = new Set<Fault>();
  #orders: Order[] = [];
  #refusals: { readonly fault: CallFault; readonly reason: string } | undefined;
  #occupations = 0;

  // ---- what a user orders ------------------------------------------------------------------------------------------

  crashNext(command?: string, { times = 1, ...how }: CrashScope = {}): Fault {
    return this.#order(command, times, (call, { patient }) => afterSending(call, patient.crasher(how)));
  }

  hang(command?: string, { times = Infinity }: FaultScope = {}): Fault {
    return this.#orderToHold(command, times, (call) => new HungCall(call));
  }

  delay(command: string | undefined, ms: number, { times = Infinity }: FaultScope = {}): Fault {
    if (!(ms >= 0))
      throw new SnakepitError('INVALID_OPTIONS', { reason: `a delay of ${String(ms)} ms cannot be; give 0 or more.` });
    const delayed: Hold = (call, { context: { clock, name } }) => new DelayedCall(call, ms, clock, name);
    return this.#orderToHold(command, times, delayed);
  }

  failNext(command: string | undefined, error: FaultError, { times = 1 }: FaultScope = {}): Fault {
    return this.#order(command, times, (call, { context, channel }) => {
      requireSendable(call, channel.manifest, context.name);
      return new FailedCall(call, failureOf(error, call.command, context.name));
    });
  }

  breakProtocol(command?: string, { times = 1 }: FaultScope = {}): Fault {
    return this.#order(command, times, (call, { patient, channel }) => afterSending(call, patient.babbler(channel)));
  }

  refuseStart(times = 1, reason = 'it was told to refuse its start (faults.refuseStart)'): Fault {
    const fault = new CallFault(undefined, times);
    this.#refusals = { fault, reason };
    this.#standing.add(fault);
    return fault;
  }

  killWorker(id?: string): string[] {
    return this.#each(id, (patient) => patient.signal('SIGKILL'));
  }

  freezeWorker(id?: string): Fault {
    const frozen = this.#chosen(id);
    for (const patient of frozen) patient.signal('SIGSTOP');
    return this.#stand(frozen.length, () => {
      for (const patient of frozen) if (this.#patients.has(patient)) patient.signal('SIGCONT');
    });
  }

  dropConnection(id?: string): string[] {
    return this.#each(id, (patient) => patient.dropConnection());
  }

  occupy(): Fault {
    this.#occupations += 1;
    this.#adjust();
    return this.#stand(1, () => {
      this.#occupations -= 1;
      this.#adjust();
    });
  }

  saturate(pool: PoolService): Fault {
    const occupation = this.occupy();
    const filling = fillQueue(pool);
    return this.#stand(1, () => {
      filling.end();
      occupation.clear();
    });
  }

  clear(): void {
    for (const fault of this.#standing) fault.clear();
    this.#standing.clear();
  }

  // ---- how it strikes ----------------------------------------------------------------------------------------------

  readonly openTap: OpenTap = (context): Tap => {
    const patient = new Patient(context);
    return {
      owner: patient.owner,
      connect: (channel) => {
        if (this.#refusals?.fault.strikes('') === true) throw new HandshakeRefused(this.#refusals.reason);
        this.#patients.add(patient);
        // Before it is given its place in the pool, nobody asks whether it has room.
        process.nextTick(() => this.#patients.has(patient) && patient.lookBusy(this.#occupations > 0));
        return new RelayingChannel(channel, this.#makerFor({ context, channel, patient }));
      },
    };
  };

  #makerFor(ward: Ward): RelayMaker {
    return {
      relayOf: (call) => this.#relayOf(call, ward),
      onAbandoned: () => void this.#patients.delete(ward.patient),
    };
  }

  #relayOf(call: ChannelCall, ward: Ward): Relay {
    if (this.#occupations > 0) {
      const kept = new KeptCall(call, ward.context.name);
      this.#kept.add(kept);
      return kept;
    }
    this.#orders = this.#orders.filter(({ fault }) => !fault.isOver);
    const order = this.#orders.find(({ fault }) => fault.strikes(call.command));
    return order?.strike(call, ward) ?? new Relay(call);
  }

  #adjust(): void {
    const isOccupied = this.#occupations > 0;
    for (const patient of this.#patients) patient.lookBusy(isOccupied);
    if (isOccupied) return;
    for (const kept of this.#kept) kept.release();
    this.#kept.clear();
  }

  /** What it holds goes on when it is cleared. */
  #orderToHold(command: string | undefined, times: number, hold: Hold): Fault {
    const held = new Set<Relay & Held>();
    const strike: Order['strike'] = (call, ward) => {
      for (const each of held) if (each.isSettled) held.delete(each);
      const relay = hold(call, ward);
      held.add(relay);
      return relay;
    };
    return this.#order(command, times, strike, () => {
      for (const each of held) each.release();
      held.clear();
    });
  }

  #order(command: string | undefined, times: number, strike: Order['strike'], onClear?: () => void): Fault {
    const fault = new CallFault(command, times, onClear);
    this.#orders.push({ fault, strike });
    this.#standing.add(fault);
    return fault;
  }

  /** A fault that has struck, and stays until it is cleared. */
  #stand(hits: number, undo: () => void): Fault {
    let isCleared = false;
    const fault: Fault = {
      hits,
      clear: () => {
        if (isCleared) return;
        isCleared = true;
        this.#standing.delete(fault);
        undo();
      },
    };
    this.#standing.add(fault);
    return fault;
  }

  #each(id: string | undefined, act: (patient: Patient) => void): string[] {
    const chosen = this.#chosen(id);
    for (const patient of chosen) act(patient);
    return chosen.map((patient) => patient.id);
  }

  #chosen(id: string | undefined): Patient[] {
    const chosen = [...this.#patients].filter((patient) => id === undefined || patient.id === id);
    if (id === undefined || chosen.length > 0) return chosen;
    const known = [...this.#patients].map((patient) => patient.id).join(', ');
    throw new SnakepitError('MISUSE', {
      reason: `There is no worker '${id}' that runs; there are: ${known || 'none'}.`,
    });
  }
}

/** What befalls a worker before it can answer, though it has got the call: the bytes leave at the end of the turn. */
function afterSending(call: ChannelCall, act: () => void): Relay {
  setImmediate(() => setImmediate(act));
  return new HungCall(call);
}
