import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'spit-';

/**
 * One folder for all temporary files of the run, whoever makes them; each spec file has a folder of its own in there (see own-folder.ts).
 * Removed with the run, and with the next one if that was killed. Short, since sockets have paths of at most 107 bytes.
 */
export default function setup(): () => void {
  const before = process.env['TMPDIR'];
  removeAbandoned();
  const run = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // Workers that run as other users pass through.
  chmodSync(run, 0o711);
  process.env['TMPDIR'] = run;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(run, { recursive: true, force: true });
  };
}

function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^spit-(\d+)-/.exec(name)?.[1]);
    if (Number.isNaN(pid) || exists(pid)) continue;
    // That of another user stays.
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {}
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
