import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BEAT_MS = 1_000;
/** One whose owner has not touched it for so long has lost it: it was killed. */
const STALE_MS = 10_000;
const LOOK_MS = 50;

/**
 * Lets one process at a time do something that others may do, too, without harm but not without waste. The lock is a file that its owner
 * touches while it works.
 *
 * @param isDone asked while another works; true ends the wait without work of one's own
 */
export async function onlyOne(
  lock: string,
  { isDone, onWait, act }: { isDone: () => boolean; onWait: () => void; act: () => Promise<void> },
): Promise<void> {
  mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
  let hasWaited = false;
  while (!isDone()) {
    if (acquire(lock)) {
      const beat = setInterval(() => touch(lock), BEAT_MS);
      beat.unref();
      try {
        return await act();
      } finally {
        clearInterval(beat);
        rmSync(lock, { force: true });
      }
    }
    if (!hasWaited) onWait();
    hasWaited = true;
    await sleep(LOOK_MS);
  }
}

function acquire(lock: string): boolean {
  const age = ageMs(lock);
  if (age !== undefined && age > STALE_MS) rmSync(lock, { force: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function ageMs(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && Date.now() - found.mtimeMs;
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Whoever took it for stale removed it; the outcome is the same.
  }
}
