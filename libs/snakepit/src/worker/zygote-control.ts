import type { Socket } from 'node:net';

import {
  ByteWriter,
  encodeForkOrder,
  FrameReader,
  parseZygoteMessage,
  type ForkOrder,
  type FrameSink,
  type ZygoteMessage,
} from '../codec/index.js';
import { toError } from '../core/index.js';

const MAX_FRAME_BYTES = 1024 * 1024;
const INITIAL_BYTES = 4 * 1024;

export interface ControlOwner {
  onMessage(message: ZygoteMessage): void;
  /** It said something that no zygote says; nothing it says counts any more. */
  onBroken(error: Error): void;
}

/** The host's end of the connection to a zygote. Its closing is not told: the zygote's exit is. */
export class ZygoteControl {
  readonly #socket: Socket;
  readonly #out = new ByteWriter(INITIAL_BYTES);

  constructor(socket: Socket, owner: ControlOwner) {
    this.#socket = socket;
    const reader = new FrameReader(MAX_FRAME_BYTES);
    const onFrame: FrameSink['onFrame'] = (kind, _flags, _aux, id, bytes, start, end) =>
      owner.onMessage(parseZygoteMessage({ kind, number: id, bytes, start, end }));
    const onData = (chunk: Buffer): void => {
      try {
        reader.push(chunk, { onFrame });
      } catch (error) {
        socket.off('data', onData);
        owner.onBroken(toError(error));
      }
    };
    socket.on('data', onData).on('error', () => {});
  }

  fork(number: number, order: ForkOrder): void {
    // All orders of a tick leave in one write, so that the zygote can carry them out in one go.
    if (this.#out.position === 0) process.nextTick(() => this.#socket.write(this.#out.take()));
    encodeForkOrder(number, order, this.#out);
  }

  /** A zygote ends when its host goes, so this ends it, and every worker it still has. */
  close(): void {
    this.#socket.destroy();
  }
}
