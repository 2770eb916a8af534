import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { createSnakepit, python, type LogRecord, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { GUARDIAN_SCRIPT } from '../../libs/snakepit/src/worker/guardian-script.js';
import { guardianOf, isAlive, processesOf } from '../chaos/support/processes.mjs';
import { startHost } from '../support/host-script.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../chaos/${name}`, import.meta.url));
const BUSY_PYTHON = pathOf('workers/busy.py');
const SCENARIOS = ['python', 'python zygote', 'python v1', 'python gRPC', 'node', 'node v1', 'node gRPC'];

interface Facts {
  readonly pids: number[];
  readonly family: number[];
}

const toBeKilled = new Set<number>();
const snakepits = new Set<Snakepit>();

afterEach(async () => {
  await Promise.all([...snakepits].map((snakepit) => snakepit.close()));
  snakepits.clear();
  for (const pid of toBeKilled) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  toBeKilled.clear();
});

/** A host with four workers that are deaf, one that is idle, and the family of two of them. */
async function startBusyHost(scenario: string, ending = 'wait') {
  const host = startHost(pathOf('hosts/busy.mjs'), [scenario, ending, inject('pythonPackages')]);
  const pid = host.child.pid!;
  toBeKilled.add(pid);
  const { pids, family } = await host.next<Facts>();
  const all = [...pids, ...family];
  for (const each of all) toBeKilled.add(each);
  return { host, pid, pids, family, all };
}

function guardianOrFail(hostPid: number): number {
  const guardian = guardianOf(hostPid);
  if (guardian === undefined) throw new Error('the host has no guardian');
  toBeKilled.add(guardian);
  return guardian;
}

function untilNoneOf(pids: readonly number[]): Promise<unknown> {
  return waitUntil(`the end of ${pids.join(', ')}`, () => !pids.some(isAlive), 5_000);
}

const foldersOf = (hostPid: number) => readdirSync(tmpdir()).filter((name) => name.startsWith(`snakepit-${hostPid}.`));

async function startBusyPool(logs: LogRecord[] = []) {
  const snakepit = await createSnakepit(
    { adapter: python({ module: BUSY_PYTHON }), size: 1, drainTimeoutMs: 0, killGraceMs: 100 },
    { log: (record) => logs.push(record) },
  );
  snakepits.add(snakepit);
  return snakepit;
}

/** Starts `with_family` on the only worker; gives the pids of what it has started. */
async function familyOf(snakepit: Snakepit, logs: readonly LogRecord[]): Promise<number[]> {
  void snakepit
    .pool()
    .execute('with_family')
    .catch(() => {});
  const family = await waitUntil('the family', () => logs.find(({ message }) => message.startsWith('family ')));
  const pids = family.message.split(' ').slice(1).map(Number);
  for (const pid of pids) toBeKilled.add(pid);
  return pids;
}

describe.runIf(process.platform === 'linux')('when its host is killed', () => {
  it.each(SCENARIOS)('nothing is left of a host of %s workers', async (scenario) => {
    const { host, pid, all } = await startBusyHost(scenario);
    expect(all.filter(isAlive)).toEqual(all);
    const guardian = guardianOrFail(pid);
    // As Ctrl-C and a service manager do to all of a group.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(guardian, signal);
    host.child.kill('SIGKILL');
    await untilNoneOf([...all, guardian]);
    expect(processesOf(pid)).toEqual([]);
    expect(foldersOf(pid)).toEqual([]);
  });

  it('a guardian that replaced another knows the workers that were there before it', async () => {
    const { host, pid, all } = await startBusyHost('python');
    const first = guardianOrFail(pid);
    process.kill(first, 'SIGKILL');
    const second = await waitUntil('another guardian', () => {
      const found = guardianOf(pid);
      return found === first ? undefined : found;
    });
    toBeKilled.add(second);
    host.child.kill('SIGKILL');
    await untilNoneOf([...all, second]);
  });

  it('without its guardian, a Python worker ends even in C code that holds the interpreter', async () => {
    const { host, pid, pids, all } = await startBusyHost('python');
    const guardian = guardianOrFail(pid);
    process.kill(guardian, 'SIGSTOP');
    host.child.kill('SIGKILL');
    await untilNoneOf(pids);
    process.kill(guardian, 'SIGCONT');
    await untilNoneOf([...all, guardian]);
  });

  it('together with its guardian, what it left ends with the next start, while other hosts keep theirs', async () => {
    const [dead, other] = await Promise.all([startBusyHost('python'), startBusyHost('node')]);
    const guardian = guardianOrFail(dead.pid);
    process.kill(guardian, 'SIGKILL');
    dead.host.child.kill('SIGKILL');
    await untilNoneOf([...dead.pids, guardian]);
    const left = dead.family.filter(isAlive);
    expect(left.length).toBeGreaterThan(0);

    const own = await startBusyHost('python zygote');
    await untilNoneOf(dead.all);
    expect([...other.all, ...own.all].every(isAlive)).toBe(true);
    other.host.child.kill('SIGKILL');
    await untilNoneOf(other.all);
    expect(own.all.every(isAlive)).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('when a host ends otherwise', () => {
  it.each([
    { ending: 'exit', scenario: 'python', status: 3, signal: null },
    { ending: 'throw', scenario: 'node', status: 1, signal: null },
    { ending: 'close', scenario: 'python zygote', status: 0, signal: null },
    ...SCENARIOS.map((scenario) => ({ ending: 'wait', scenario, status: null, signal: 'SIGTERM' as const })),
    { ending: 'wait', scenario: 'node', status: null, signal: 'SIGINT' as const },
  ])('by $ending $signal, nothing is left ($scenario)', async ({ ending, scenario, status, signal }) => {
    const { host, pid, all } = await startBusyHost(scenario, ending);
    if (ending === 'close') {
      await host.next();
      expect(all.filter(isAlive)).toEqual([]);
      expect(guardianOf(pid)).toBeUndefined();
    }
    if (signal !== null) host.child.kill(signal);
    expect(await host.ended(5_000)).toMatchObject({ status, signal });
    await untilNoneOf(all);
    // The guardian tidies up a moment after the last of them.
    await waitUntil('no process and no folder', () => processesOf(pid).length + foldersOf(pid).length === 0, 5_000);
  });
});

describe.runIf(process.platform === 'linux')('an instance', () => {
  it('that closes takes along what left its workers’ sessions, and nothing of another instance', async () => {
    const logs: [LogRecord[], LogRecord[]] = [[], []];
    const [one, two] = await Promise.all([startBusyPool(logs[0]), startBusyPool(logs[1])]);
    const families = await Promise.all([familyOf(one, logs[0]), familyOf(two, logs[1])]);
    await one.close();
    expect(families[0].filter(isAlive)).toEqual([]);
    expect(families[1].filter(isAlive)).toEqual(families[1]);
    expect(two.pool().stats().pids.every(isAlive)).toBe(true);
    await two.close();
    expect(families[1].filter(isAlive)).toEqual([]);
    expect(guardianOf(process.pid)).toBeUndefined();
  });
});

describe.runIf(process.platform === 'linux')('the guardian', () => {
  /** A guardian alone, which believes this process to be its host. */
  function startGuardian() {
    const child = spawn('/bin/sh', ['-c', GUARDIAN_SCRIPT, 'snakepit-guardian', '', tmpdir()], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], SNAKEPIT_GUARDIAN: '1' },
    });
    toBeKilled.add(child.pid!);
    const gone = once(child, 'exit');
    return {
      tell: (line: string) => child.stdin.write(`${line}\n`),
      loseHost: async () => {
        child.stdin.end();
        await gone;
      },
    };
  }

  function startGroup(): ChildProcess & { readonly pid: number } {
    const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    toBeKilled.add(child.pid!);
    return child as ChildProcess & { readonly pid: number };
  }

  it('kills the groups that it was told of, and not those whose exit it was told', async () => {
    const guardian = startGuardian();
    const [present, former] = [startGroup(), startGroup()];
    const exit = once(present, 'exit');
    guardian.tell(`start ${present.pid}`);
    guardian.tell(`start ${former.pid}`);
    guardian.tell(`exit ${former.pid}`);
    await guardian.loseHost();
    expect(await exit).toEqual([null, 'SIGKILL']);
    expect(isAlive(former.pid)).toBe(true);
  });

  const isRoot = process.getuid?.() === 0;
  it.runIf(isRoot)('lets a process alone that has got the id of one of its groups', async () => {
    // In a space of its own, since ids that come again would confuse whoever else runs on this machine.
    const script = fileURLToPath(new URL('../fixtures/integration/recycled-pid.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)('unshare', [
      '--pid',
      '--fork',
      '--mount-proc',
      process.execPath,
      script,
    ]);
    expect(JSON.parse(stdout)).toEqual({ hasSameId: true, isAlive: true });
  });
});
