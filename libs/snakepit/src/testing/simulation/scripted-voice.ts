import {
  ByteWriter,
  createCodec,
  encodeHello,
  Kind,
  MAX_SERVICE_US,
  type Codec,
  type CommandManifest,
  type ErrorBody,
} from '../../codec/index.js';
import type { Random } from './random.js';
import type { Body } from './surroundings.js';

export const COMMANDS: readonly CommandManifest[] = [
  { name: 'fast', kind: 'call' },
  { name: 'slow', kind: 'call', concurrent: false },
  { name: 'mixed', kind: 'call' },
  /** Asks its host for something before it answers. */
  { name: 'asks', kind: 'call' },
  { name: 'walk', kind: 'stream' },
  { name: 'read', kind: 'stream', concurrent: false },
];

const MAX_DEPTH = 16;

/** What a scripted worker says: real frames, in the codec it has chosen. */
export class ScriptedVoice {
  readonly codec: Codec;
  readonly #out = new ByteWriter(1024);
  readonly #random: Random;
  readonly #process: Body;

  constructor(random: Random, process: Body) {
    this.#random = random;
    this.#process = process;
    this.codec = createCodec(random.chance(0.8) ? 'json' : 'msgpack', { maxDepth: MAX_DEPTH });
  }

  hello(answersWhileBusy: boolean): void {
    const said = { name: 'scripted', version: '1' };
    encodeHello(
      {
        protocol: 2,
        codec: this.codec.name,
        language: 'script',
        runtime: said,
        sdk: said,
        pid: this.#process.ownPid,
        answersWhileBusy,
        typedArrays: true,
        arena: false,
        commands: COMMANDS,
      },
      this.#out,
    );
    this.#flush();
  }

  refusal(): void {
    encodeHello({ error: { code: 'REMOTE_ERROR', type: 'ImportError', message: 'scripted' } }, this.#out);
    this.#flush();
  }

  /** Bytes that are no frame, a frame that no worker sends, or one that is too long. */
  babble(): void {
    const header = Buffer.alloc(12);
    header.writeUInt32BE(this.#random.pick([0, 0xffff_ffff]));
    header[4] = this.#random.pick([0x00, Kind.CALL, Kind.FORK, 0xff]);
    this.#process.send(header);
  }

  error(id: number, serviceUs: number, body: ErrorBody): void {
    this.say(Kind.ERROR, serviceUs, id, body);
  }

  say(kind: Kind, serviceUs: number, id: number, value: unknown): void {
    const start = this.#out.beginFrame();
    const flags = this.codec.encode(value, this.#out);
    this.#out.endFrame(start, kind, flags, Math.min(MAX_SERVICE_US, serviceUs), id);
    this.#flush();
  }

  sayEmpty(kind: Kind, serviceUs: number, id: number): void {
    this.#out.frame(kind, 0, Math.min(MAX_SERVICE_US, serviceUs), id);
    this.#flush();
  }

  #flush(): void {
    this.#process.send(Buffer.from(this.#out.take()));
  }
}
