import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import type { LogRecord } from '../core/index.js';
import { OrphanGuard } from './orphan-guard.js';

function startProcess(env: Readonly<Record<string, string>> = {}) {
  const child = spawn('sleep', ['600'], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], ...env },
  });
  return { child, pid: child.pid!, exit: once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]> };
}

describe.runIf(process.platform === 'linux')('OrphanGuard', () => {
  it('kills what still carries the token of an instance that closes, and nothing else', async () => {
    const guard = new OrphanGuard();
    guard.open('one', () => {});
    guard.open('two', () => {});
    const [one, two, none] = [
      startProcess({ A: 'b', SNAKEPIT_INSTANCE: 'one' }),
      startProcess({ SNAKEPIT_INSTANCE: 'two' }),
      startProcess(),
    ];
    await guard.close('one');
    expect(await one.exit).toEqual([null, 'SIGKILL']);
    expect([two.child.exitCode, two.child.signalCode, none.child.signalCode]).toEqual([null, null, null]);
    await guard.close('two');
    expect(await two.exit).toEqual([null, 'SIGKILL']);
    none.child.kill('SIGKILL');
    expect(await none.exit).toEqual([null, 'SIGKILL']);
  });

  it('kills what carries the marks of workers that have ended, however many end at once, and no like marks', async () => {
    const guard = new OrphanGuard();
    guard.open('one', () => {});
    const left = ['i-01', 'i-02', 'i-03'].map((mark) => startProcess({ SNAKEPIT_WORKER_MARK: mark }));
    const other = startProcess({ SNAKEPIT_WORKER_MARK: 'i-04', SNAKEPIT_INSTANCE: 'one' });
    // Leads no group: its group, that of this process, is none of the worker's.
    const member = spawn('sleep', ['600'], {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], SNAKEPIT_WORKER_MARK: 'i-02' },
    });
    const memberEnd = once(member, 'exit');
    for (const number of [1, 2, 3]) {
      guard.started(1_000_000_000 + number);
      guard.ended(1_000_000_000 + number, `i-0${number}`);
    }
    const ends = await Promise.all([...left.map(({ exit }) => exit), memberEnd]);
    expect(ends).toEqual(ends.map(() => [null, 'SIGKILL']));
    expect([other.child.exitCode, other.child.signalCode]).toEqual([null, null]);
    await guard.close('one');
    expect(await other.exit).toEqual([null, 'SIGKILL']);
  });

  it('says once that there is no shell to guard with, and closes all the same', async () => {
    const logs: LogRecord[] = [];
    const guard = new OrphanGuard('/nowhere/sh');
    const told = new Promise<void>((resolve) => {
      guard.open('one', (record) => {
        logs.push(record);
        resolve();
      });
    });
    guard.started(process.pid);
    await told;
    guard.open('two', (record) => logs.push(record));
    await guard.close('one');
    await guard.close('two');
    expect(logs).toHaveLength(1);
    expect(logs[0]).toMatchObject({
      level: 'warn',
      message: expect.stringMatching(/ENOENT.*there is none now/) as string,
    });
  });

  it('does nothing for processes of no instance, and closes what was never opened', async () => {
    const guard = new OrphanGuard('/nowhere/sh');
    guard.started(process.pid);
    guard.ended(process.pid);
    await guard.close('never');
  });
});
