import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { onWorkerCpus } from '../support/cpus.mjs';
import { cached, venvPython } from '../support/packages.mjs';

/** `{ a: 1, b: 2 }` in MessagePack, behind the four bytes of a deadline: what `add` is called with. */
const BODY = Buffer.from('0000ea6082a16101a16202', 'hex');
const HEADER_BYTES = 12;
const FRAME_BYTES = HEADER_BYTES + BODY.length;

/**
 * The limit: what one Node thread can push through the same kind of socket, a process on the other side that only gives the
 * bytes back, and nothing in between. Frames are as long as a call's, carry an id each, and leave in one write per chunk that
 * arrives; there is no encoding, no promise, no deadline and no scheduling.
 */
export class RawEcho {
  completed = 0;
  #child;
  #socket;
  #inFlight;
  /** As many frames as are ever sent at once. */
  #frames;
  #nextId = 1;
  #isOpen = false;
  #unanswered = 0;
  #strayBytes = 0;
  #onIdle = () => {};

  constructor(inFlight) {
    const [command, args] = onWorkerCpus(...echoProgram());
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    this.#socket = this.#child.stdio[3];
    this.#socket.on('data', (chunk) => this.#onData(chunk.length));
    this.#inFlight = inFlight;
    const frame = Buffer.concat([Buffer.from([0, 0, 0, BODY.length, 0x10, 0x02, 0, 0, 0, 0, 0, 0]), BODY]);
    this.#frames = Buffer.concat(Array.from({ length: inFlight }, () => frame));
  }

  start() {
    this.#isOpen = true;
    this.#send(this.#inFlight);
  }

  async stop() {
    this.#isOpen = false;
    if (this.#unanswered > 0) await new Promise((resolve) => (this.#onIdle = resolve));
  }

  async close() {
    this.#socket.end();
    await once(this.#child, 'exit');
  }

  #send(count) {
    const bytes = Buffer.allocUnsafe(count * FRAME_BYTES);
    this.#frames.copy(bytes, 0, 0, bytes.length);
    for (let at = HEADER_BYTES - 4; at < bytes.length; at += FRAME_BYTES) {
      const id = this.#nextId;
      this.#nextId = (id + 1) >>> 0;
      bytes[at] = id >>> 24;
      bytes[at + 1] = id >>> 16;
      bytes[at + 2] = id >>> 8;
      bytes[at + 3] = id;
    }
    this.#unanswered += count;
    this.#socket.write(bytes);
  }

  #onData(length) {
    const bytes = this.#strayBytes + length;
    const count = Math.floor(bytes / FRAME_BYTES);
    this.#strayBytes = bytes - count * FRAME_BYTES;
    this.#unanswered -= count;
    this.completed += count;
    if (this.#isOpen && count > 0) this.#send(count);
    else if (this.#unanswered === 0) this.#onIdle();
  }
}

/** Written in C where there is a compiler; Python copies as well, a little slower. */
function echoProgram() {
  const program = cached('echo');
  const source = fileURLToPath(new URL('echo.c', import.meta.url));
  if (spawnSync('cc', ['--version']).error === undefined) {
    execFileSync('cc', ['-O2', '-o', program, source]);
    return [program, []];
  }
  return [venvPython, [fileURLToPath(new URL('echo.py', import.meta.url))]];
}
