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
