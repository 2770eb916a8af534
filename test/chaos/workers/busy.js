// Commands that keep a worker from noticing anything; each says on stderr that it has begun.
import { execFileSync, spawn } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { writeSync } from 'node:fs';

const begin = () => writeSync(2, 'busy\n');

export function loop() {
  begin();
  for (;;);
}

/** Computes in C++ for longer than any test lasts. */
export function hold_gil() {
  begin();
  pbkdf2Sync('secret', 'salt', 2 ** 31 - 1, 64, 'sha512');
}

/** Starts a child in the worker's group, one in a session of its own, and a daemon that nobody waits for, and blocks. */
export function with_family() {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  const stranger = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
  const daemon = execFileSync('setsid', ['sh', '-c', 'sleep 600 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' });
  writeSync(2, `family ${child.pid} ${stranger.pid} ${daemon.trim()}\n`);
  begin();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

export const forked_family = with_family;
