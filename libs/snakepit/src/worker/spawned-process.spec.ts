import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { describe, expect, it } from 'vitest';

import { resolveOptions, systemClock } from '../core/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { ExitCause } from './exit-cause.js';
import type { LaunchSpec } from './launch-spec.js';
import { privilegeOptionTable } from './privileges.js';
import { SpawnedProcess } from './spawned-process.js';

interface Started {
  readonly child: SpawnedProcess;
  readonly lines: string[];
  readonly exits: ExitCause[];
  readonly exited: Promise<ExitCause>;
  /** Resolves when this line was printed. */
  line(wanted: string): Promise<void>;
}

function start(
  executable: string,
  args: readonly string[],
  clock = systemClock,
  more: Partial<LaunchSpec> = {},
): Started {
  const lines: string[] = [];
  const exits: ExitCause[] = [];
  let onLine: () => void = () => {};
  let onExit: (cause: ExitCause) => void = () => {};
  const exited = new Promise<ExitCause>((resolve) => {
    onExit = resolve;
  });
  const child = new SpawnedProcess({
    arenaFd: undefined,
    spec: { language: 'x', executable, args, env: {}, protocol: 'v2', codec: 'auto', ...more },
    env: { PATH: process.env['PATH'] ?? '' },
    clock,
    owner: {
      onLine: (stream, line) => {
        lines.push(`${stream} ${line}`);
        onLine();
      },
      onExit: (cause) => {
        exits.push(cause);
        onExit(cause);
      },
    },
  });
  const line = async (wanted: string): Promise<void> => {
    while (!lines.some((each) => each.includes(wanted))) {
      await new Promise<void>((resolve) => {
        onLine = resolve;
      });
    }
  };
  return { child, lines, exits, exited, line };
}

const sh = (script: string, clock = systemClock): Started => start('sh', ['-c', script], clock);

/** Whether the process exists and is no zombie that waits for its parent. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise<void>((resolve) => void setImmediate(resolve));
}

describe('SpawnedProcess', () => {
  it('tells the exit status, once, after the last output', async () => {
    const { lines, exits, exited } = sh('echo out; echo err >&2; exit 7');
    expect(await exited).toEqual({ kind: 'exit', status: 7 });
    expect(lines.toSorted()).toEqual(['stderr err', 'stdout out']);
    expect(exits).toHaveLength(1);
  });

  it('tells the signal that ended it', async () => {
    const { exited } = sh('kill -9 $$');
    expect(await exited).toEqual({ kind: 'signal', signal: 'SIGKILL' });
  });

  const isRoot = process.getuid?.() === 0;
  const folderScript =
    'mkdir "$SNAKEPIT_FOLDER/a" && echo x >"$SNAKEPIT_FOLDER/a/b"; echo "$SNAKEPIT_FOLDER"; kill -9 $$';
  it.each([{ whose: 'its own', ids: [] }, ...(isRoot ? [{ whose: "another user's", ids: [54_322] }] : [])])(
    'has removed $whose folder when it tells that a process was killed',
    async ({ ids }) => {
      const [privileges] = ids.map((id) => resolveOptions(privilegeOptionTable, { uid: id, gid: id }, 'privileges'));
      const more = { hasFolder: true, ...(privileges && { privileges }) };
      const { lines, exited } = start('/bin/sh', ['-c', folderScript], systemClock, more);
      expect(await exited).toEqual({ kind: 'signal', signal: 'SIGKILL' });
      expect(lines).toEqual([expect.stringMatching(/^stdout \/.*snakepit-/)]);
      expect(existsSync(lines[0]!.slice('stdout '.length))).toBe(false);
    },
  );

  it('leaves no folder for a program that does not exist', async () => {
    const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith(`snakepit-${process.pid}.`));
    const { exited } = start('/nowhere/R', [], systemClock, { hasFolder: true });
    expect(folders()).toHaveLength(1);
    expect(await exited).toMatchObject({ kind: 'not-spawned' });
    expect(folders()).toEqual([]);
  });

  it('tells that a program does not exist, and has no pid then', async () => {
    const { child, exited } = start('/nowhere/python3', []);
    expect(child.pid).toBeUndefined();
    expect(await exited).toMatchObject({ kind: 'not-spawned', message: expect.stringContaining('ENOENT') as string });
    expect(() => child.terminate(0)).not.toThrow();
  });

  it('tells that a program cannot be started with what it was given', async () => {
    const { exited } = start('sh', ['-c', `: ${'x'.repeat(4_000_000)}`]);
    expect(await exited).toMatchObject({ kind: 'not-spawned', message: expect.stringContaining('E2BIG') as string });
  });

  it('keeps the last 20 lines of stderr', async () => {
    const { child, exited } = sh('i=1; while [ $i -le 30 ]; do echo line $i >&2; i=$((i+1)); done');
    await exited;
    expect(child.stderrTail.split('\n')).toEqual(Array.from({ length: 20 }, (_, n) => `line ${n + 11}`));
  });

  it('gives v2 workers an empty stdin and a socket on descriptor 3', async () => {
    const { child, exited, lines } = start('python3', [
      '-c',
      'import os, sys, socket; s = socket.socket(fileno=3); s.send(b"hi"); print(repr(sys.stdin.read()), s.recv(9))',
    ]);
    const wire = await child.wire;
    if (wire.protocol !== 'v2') throw new Error('this process speaks v2');
    const heard = new Promise<string>(
      (resolve) => void wire.socket.once('data', (data: Buffer) => resolve(String(data))),
    );
    expect(await heard).toBe('hi');
    wire.socket.write('ho');
    await exited;
    expect(lines).toEqual([`stdout '' b'ho'`]);
  });

  it('ends on SIGTERM, with all of its group', async () => {
    const { child, exited, line, lines } = sh('sleep 600 & echo child $!; wait');
    await line('child');
    const grandchild = Number(/\d+/.exec(lines[0]!)![0]);
    child.terminate(60_000);
    expect(await exited).toEqual({ kind: 'signal', signal: 'SIGTERM', origin: 'host' });
    await untilGone(grandchild);
  });

  it('kills a group that ignores SIGTERM once the grace is over', async () => {
    const clock = new ManualClock();
    const stubborn = `trap 'echo ignored' TERM; (trap '' TERM; echo child; while :; do sleep 600; done) & echo pid $!; while :; do sleep 0.01; done`;
    const { child, exits, exited, line, lines } = sh(stubborn, clock);
    await line('pid');
    await line('child');
    const grandchild = Number(/pid (\d+)/.exec(lines.join(' '))![1]);
    child.terminate(2_000);
    await line('ignored');
    clock.advance(1_999);
    expect(exits).toEqual([]);
    expect(isAlive(child.pid!)).toBe(true);
    clock.advance(1);
    expect(await exited).toEqual({ kind: 'signal', signal: 'SIGKILL', origin: 'host' });
    await untilGone(grandchild);
    expect(clock.timers).toBe(0);
  });

  it('takes with it a child that stayed behind when its leader left by itself', async () => {
    const { exited, lines } = sh('(trap "" TERM; while :; do sleep 600; done) & echo child $!; exit 0');
    expect(await exited).toEqual({ kind: 'exit', status: 0 });
    await untilGone(Number(/\d+/.exec(lines[0]!)![0]));
  });

  it('is killed at once without a grace', async () => {
    const { child, exited, line } = sh(`trap '' TERM; echo up; while :; do sleep 0.01; done`);
    await line('up');
    child.terminate(0);
    expect(await exited).toEqual({ kind: 'signal', signal: 'SIGKILL', origin: 'host' });
  });

  it('is asked again and then killed when it does not leave in time', async () => {
    const clock = new ManualClock();
    const { child, exited, line } = sh(`trap 'echo term' TERM; echo up; while :; do sleep 0.01; done`, clock);
    await line('up');
    child.terminateAfter(500, 300);
    clock.advance(500);
    await line('term');
    clock.advance(300);
    expect(await exited).toEqual({ kind: 'signal', signal: 'SIGKILL', origin: 'host' });
  });

  it('is over for good: signals and timers after the end reach nobody', async () => {
    const clock = new ManualClock();
    const { child, exited } = sh('exit 0', clock);
    await exited;
    child.terminate(100);
    child.terminateAfter(100, 100);
    expect(clock.timers).toBe(0);
  });
});
