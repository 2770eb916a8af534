import { fileURLToPath } from 'node:url';

import { describe, expect, inject, it } from 'vitest';

import { startHost } from '../support/host-script.js';
import { pidIsAlive, untilGone } from '../support/processes.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const SCRIPT = pathOf('integration/hosts.mjs');

interface Facts {
  readonly pids: number[];
  readonly grandchild?: number;
}

interface Measured {
  readonly heap: number;
  readonly handles: string[];
}

const hostOf = (role: string, language: string, transport = 'fd', nodeArgs: string[] = [], more: string[] = []) => {
  const module = pathOf(`contract/commands.${language === 'python' ? 'py' : 'js'}`);
  return startHost(SCRIPT, [role, language, transport, module, inject('pythonPackages'), ...more], nodeArgs);
};

const WORKERS = ['python', 'node'].flatMap((language) => ['fd', 'grpc'].map((transport) => ({ language, transport })));

describe.each(WORKERS)('a plain script with $language workers over $transport', ({ language, transport }) => {
  it('ends by itself after close(), and leaves no process', async () => {
    const host = hostOf('closes', language, transport);
    const { pids, ...facts } = await host.next<Facts>();
    expect(facts).toEqual({ sum: 42, items: [0, 1, 2] });
    const { resources } = await host.next<{ resources: string[] }>();
    expect(resources).not.toContain('Timeout');
    expect(resources).not.toContain('ProcessWrap');
    expect(pids).toHaveLength(2);
    expect(pids.some(pidIsAlive)).toBe(false);
    expect(await host.ended(2_000)).toEqual({ status: 0, signal: null, stderr: '' });
  });

  it('that calls process.exit() without close() leaves no worker and nothing that workers started', async () => {
    const host = hostOf('exits', language, transport);
    const { pids, grandchild } = await host.next<Facts>();
    expect(await host.ended(5_000)).toMatchObject({ status: 3 });
    await untilGone([...pids, grandchild ?? 0]);
  });

  it('that dies of an uncaught error leaves no worker', async () => {
    const host = hostOf('throws', language, transport);
    const { pids } = await host.next<Facts>();
    expect(await host.ended(5_000)).toMatchObject({ status: 1 });
    await untilGone(pids);
  });

  it('that is killed with SIGKILL leaves no worker, busy or idle, and nothing that workers started', async () => {
    const host = hostOf('is-killed', language, transport);
    const { pids, grandchild } = await host.next<Facts>();
    expect([...pids, grandchild ?? 0].every(pidIsAlive)).toBe(true);
    host.child.kill('SIGKILL');
    const left = () => [...pids, grandchild ?? 0].filter(pidIsAlive);
    try {
      await waitUntil('the end of all', () => left().length === 0, 5_000);
    } finally {
      for (const pid of left()) process.kill(pid, 'SIGKILL');
    }
  });
});

describe('200,000 calls from 64 callers', () => {
  it('are all answered right and leave no handle and no memory behind', { timeout: 120_000 }, async () => {
    const host = hostOf('counts', 'python', 'fd', ['--expose-gc']);
    const facts = await host.next<{
      wrong: number;
      before: Measured;
      after: Measured;
      seconds: number;
      stats: Record<string, number>;
    }>();
    const { before, after, seconds } = facts;
    const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    console.log(
      `200,000 calls in ${seconds.toFixed(1)} s; heap ${mb(before.heap)} MB before, ${mb(after.heap)} MB after`,
    );
    expect(facts.wrong).toBe(0);
    expect(facts.stats).toEqual({ requests: 220_000, succeeded: 220_000, errors: 0, queued: 0, inFlight: 0 });
    expect(after.handles).toEqual(before.handles);
    // One timer is the heartbeat's; another would be a sweep of deadlines that never ends.
    expect(after.handles.filter((name) => name === 'Timeout').length).toBeLessThanOrEqual(1);
    expect(after.heap - before.heap).toBeLessThan(2 * 2 ** 20);
    expect(await host.ended(10_000)).toMatchObject({ status: 0 });
  });
});

describe.runIf(process.platform === 'linux')('a stream of 300,000 items of 1 KB that is read slowly', () => {
  const MB = 2 ** 20;

  it.each([
    ['python', 'pulling'],
    ['python', 'pushed'],
    ['node', 'pulling'],
    ['node', 'pushed'],
  ])(
    'takes no more memory the longer it runs, in host or worker: %s, %s',
    { timeout: 60_000 },
    async (language, how) => {
      // The young generation may grow to 48 MB, which would hide what this is about.
      const host = hostOf('reads-slowly', language, 'fd', ['--max-semi-space-size=1'], [how]);
      const facts = await host.next<{
        received: number;
        wrong: number;
        early: { host: number; workers: number };
        most: { host: number; workers: number };
      }>();
      const { early, most } = facts;
      const inMb = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`;
      console.log(
        `${language}, ${how}: host ${inMb(early.host)}, at most ${inMb(most.host)}; ` +
          `workers ${inMb(early.workers)}, at most ${inMb(most.workers)}`,
      );
      expect([facts.received, facts.wrong]).toEqual([300_000, 0]);
      expect(most.host - early.host).toBeLessThan(16 * MB);
      // A Node worker has a young generation of its own.
      expect(most.workers - early.workers).toBeLessThan((language === 'node' ? 48 : 8) * MB);
      expect(await host.ended(10_000)).toMatchObject({ status: 0 });
    },
  );
});
