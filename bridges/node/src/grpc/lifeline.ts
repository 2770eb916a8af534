import { Socket } from 'node:net';

import { errorBodyOf } from '../failures.js';
import type { Command } from '../load-commands.js';
import { endGroup } from '../process-end.js';
import { startWatchdog } from '../watchdog.js';
import { startServer } from './server.js';
import { parseOffer } from './settings.js';

const MAX_LINE_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * Serves the host that started this worker: its offer comes over the lifeline, and the lifeline's end is the end of this
 * process. Node itself marks inherited descriptors close-on-exec when it starts.
 */
export function serveLifeline(fd: number, loading: Promise<Command[]>): void {
  // Reported over the lifeline; until then it must not count as unhandled.
  loading.catch(() => {});
  const lifeline = new Socket({ fd, readable: true, writable: true });
  let received = Buffer.alloc(0);
  let hasOffer = false;
  lifeline.on('data', (chunk) => {
    if (hasOffer) return;
    received = Buffer.concat([received, chunk]);
    const end = received.indexOf(LINE_FEED);
    if (end < 0 && received.length < MAX_LINE_BYTES) return;
    hasOffer = true;
    void answer(lifeline, received.toString('utf8', 0, end < 0 ? undefined : end), loading);
  });
  lifeline.on('end', endGroup);
  lifeline.on('close', endGroup);
  lifeline.on('error', endGroup);
  // Until the server listens there is nothing to end but the process.
  process.on('SIGTERM', exitAtOnce);
}

async function answer(lifeline: Socket, line: string, loading: Promise<Command[]>): Promise<void> {
  try {
    const offer = parseOffer(line);
    const commands = await loading;
    const listening = await startServer(offer, commands, { isOwned: true });
    process.off('SIGTERM', exitAtOnce);
    send(lifeline, { listening });
    setImmediate(startWatchdog);
  } catch (error) {
    console.error(error);
    lifeline.off('close', endGroup);
    send(lifeline, { error: errorBodyOf(error) }, () => process.exit(1));
  }
}

function exitAtOnce(): never {
  process.exit(0);
}

function send(lifeline: Socket, message: object, onSent?: () => void): void {
  lifeline.write(`${JSON.stringify(message)}\n`, onSent);
}
