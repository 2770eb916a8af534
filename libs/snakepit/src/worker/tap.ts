import type { Channel, ChannelName, ChannelOwner } from '../channel/index.js';
import type { Clock } from '../core/index.js';
import type { WorkerProcess } from './process.js';

/** What a tap is told of the worker that it is put on. */
export interface TapContext {
  readonly name: ChannelName;
  readonly process: WorkerProcess;
  /** What the channel would tell if there were no tap. */
  readonly owner: ChannelOwner;
  readonly clock: Clock;
  /** Items that a stream may send before it is granted more. */
  readonly streamCredit: number;
}

/** Stands between one worker and its channel: sees what goes either way, and may change it. */
export interface Tap {
  /** Whom the channel tells. */
  readonly owner: ChannelOwner;
  /** The channel that the worker uses, given the one that was opened. @throws HandshakeRefused to refuse the worker's start */
  connect(channel: Channel): Channel;
}

/** Puts a tap on a worker that is being started; one worker has one tap. */
export type OpenTap = (context: TapContext) => Tap;
