import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { describeOutcome, type Bridge } from '../bridge.js';
import type { ConformanceCase } from '../conformance-case.js';
import { same } from '../expectations.js';
import { check } from '../mismatch.js';
import { show } from '../show.js';

const IS_LINUX = process.platform === 'linux';
const needsProc = (): string | undefined => (IS_LINUX ? undefined : 'it can be seen on Linux only');
/** How soon a process must end whose host is gone. */
const PROMPTLY_MS = 5_000;
/** How long a child may take from its fork to its exec. */
const EXEC_MS = 2_000;

export const endings: readonly ConformanceCase[] = [
  {
    group: 'output',
    name: 'what a command prints goes to stdout and stderr, and disturbs nothing',
    run: async (bridge) => {
      const text = 'a stray line: {"id":1,"success":true} \u0000\u0001 Grüße';
      same(await bridge.result('print_text', { text }), null);
      const { stdout, stderr } = bridge.process.lines;
      await bridge.until('the line on stdout', () => stdout.includes(text) || undefined);
      await bridge.until('the line on stderr', () => stderr.includes(text) || undefined);
      await bridge.checkAlive();
    },
  },
  {
    group: 'grandchildren',
    name: 'a grandchild does not inherit the channel',
    unclaimed: needsProc,
    run: async (bridge) => {
      const pid = await grandchildOf(bridge);
      const channel = socketsOf(bridge.manifest.pid ?? bridge.process.pid);
      const inheritedBy = (child: number): string[] => [...socketsOf(child)].filter((socket) => channel.has(socket));
      // Between its fork and its exec a child has all that its parent has.
      const until = Date.now() + EXEC_MS;
      while (inheritedBy(pid).length > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
      const inherited = inheritedBy(pid);
      killQuietly(pid);
      same(inherited, [], 'no socket of the worker, but for stdio, in the grandchild');
    },
  },
  {
    group: 'grandchildren',
    name: 'grandchildren end with the host, and so does the worker',
    kind: 'own',
    unclaimed: needsProc,
    run: async (stage) => {
      const bridge = await stage.open();
      const pid = await grandchildOf(bridge);
      bridge.wire.close();
      await bridge.exited('the end of the process', PROMPTLY_MS);
      const until = Date.now() + PROMPTLY_MS;
      while (isAlive(pid) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
      const lives = isAlive(pid);
      if (lives) killQuietly(pid);
      check(!lives, 'the end of the grandchild', () => `one that still runs, in the worker's process group`);
    },
  },
  {
    group: 'shutdown',
    name: 'an idle worker that is told to shut down exits with status 0',
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      bridge.wire.shutdown();
      await exitsWithZero(bridge);
    },
  },
  {
    group: 'shutdown',
    name: 'a busy worker that is told to shut down finishes its calls first',
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      const calls = [600, 300].map((ms) => bridge.wire.call({ command: 'sleep_ms', args: { ms } }));
      // Over gRPC the word to shut down may overtake calls, which are then refused.
      await bridge.silence('answers', () => calls[0]!.history.length);
      bridge.wire.shutdown();
      await bridge.exited('the end of the process');
      for (const [index, call] of calls.entries()) {
        const { outcome } = call;
        const isDone = outcome?.kind === 'result';
        check(isDone, `the result of call ${index + 1}`, () => (outcome ? describeOutcome(outcome) : 'no answer'));
      }
      await exitsWithZero(bridge);
    },
  },
  {
    group: 'shutdown',
    name: 'the shutdown hook runs',
    commands: ['print_at_exit'],
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      await bridge.result('print_at_exit', { text: 'last words' });
      bridge.wire.shutdown();
      await exitsWithZero(bridge);
      const { stdout } = bridge.process.lines;
      check(stdout.includes('last words'), "the line 'last words' on stdout", () => show(stdout));
    },
  },
  {
    group: 'shutdown',
    name: 'SIGTERM ends an idle worker with status 0',
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      terminate(bridge);
      await exitsWithZero(bridge);
    },
  },
  {
    group: 'shutdown',
    name: 'SIGTERM ends a worker whose command runs',
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      const call = bridge.wire.call({ command: 'sleep_ms', args: { ms: 60_000 } });
      await bridge.silence('answers', () => call.history.length);
      terminate(bridge);
      await exitsWithZero(bridge);
    },
  },
  {
    group: 'shutdown',
    name: 'a worker whose host is gone ends at once',
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      bridge.wire.close();
      await bridge.exited('the end of the process', PROMPTLY_MS);
    },
  },
  {
    group: 'shutdown',
    name: 'a worker whose host is gone ends at once, also while a command blocks it',
    kind: 'own',
    // It may notice otherwise, such as by its parent's process id; here the parent lives on.
    unclaimed: ({ answersWhileBusy }) => (answersWhileBusy ? undefined : "the hello says 'answersWhileBusy: false'"),
    run: async (stage) => {
      const bridge = await stage.open();
      const call = bridge.wire.call({ command: 'block_ms', args: { ms: 60_000 } });
      await bridge.silence('answers', () => call.history.length);
      bridge.wire.close();
      await bridge.exited('the end of the process', PROMPTLY_MS);
    },
  },
];

async function exitsWithZero(bridge: Bridge): Promise<void> {
  await bridge.exited('the end of the process');
  check(bridge.process.exit?.status === 0, 'exit status 0', () => bridge.process.describeExit());
}

/** To the worker itself, which need not be what the command has started. */
function terminate(bridge: Bridge): void {
  process.kill(bridge.manifest.pid ?? bridge.process.pid, 'SIGTERM');
}

async function grandchildOf(bridge: Bridge): Promise<number> {
  const pid = await bridge.result('grandchild', {});
  check(typeof pid === 'number' && isAlive(pid), 'the id of a process that runs', () => show(pid));
  return pid;
}

/** The sockets that a process has open, but for those of its stdio. */
function socketsOf(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`;
  const sockets = readdirSync(folder)
    .filter((fd) => Number(fd) > 2)
    .map((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`);
      } catch {
        return '';
      }
    });
  return new Set(sockets.filter((target) => target.startsWith('socket:')));
}

function isAlive(pid: number): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /su, '')[0];
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
