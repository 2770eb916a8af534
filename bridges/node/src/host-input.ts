import { Readable } from 'node:stream';

import type { AskHost } from './data-map.js';

const CHUNK_BYTES = 256 * 1024;

/**
 * What the caller of a command sends it while it runs. Nothing is sent before it is asked for; one chunk is held ready while the one
 * before it is worked on.
 */
export class HostInput extends Readable {
  readonly #ask: AskHost;

  constructor(ask: AskHost) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#ask = ask;
    // A failure reaches whoever reads; where nobody does, it must not end the process.
    this.on('error', () => {});
  }

  override _read(): void {
    this.#ask('input.read', { maxBytes: CHUNK_BYTES }).then(
      (chunk) => {
        if (!this.destroyed) this.push(chunk as Uint8Array | null);
      },
      (error: Error) => this.destroy(error),
    );
  }
}
