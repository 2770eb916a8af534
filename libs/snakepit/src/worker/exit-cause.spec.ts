import { describe, expect, it } from 'vitest';

import { describeExit, type ExitCause } from './exit-cause.js';
import { OomKills } from './oom-kills.js';

describe('describeExit', () => {
  it.each<[ExitCause, string]>([
    [{ kind: 'exit', status: 7 }, 'status 7'],
    [{ kind: 'signal', signal: 'SIGKILL', origin: 'host' }, 'signal SIGKILL'],
    [{ kind: 'signal', signal: 'SIGTERM' }, 'signal SIGTERM'],
    [
      { kind: 'signal', signal: 'SIGKILL' },
      'signal SIGKILL (not sent by this host: perhaps the system was out of memory, perhaps somebody killed it)',
    ],
    [
      { kind: 'signal', signal: 'SIGKILL', origin: 'out-of-memory' },
      'signal SIGKILL (killed by the system for lack of memory)',
    ],
    [{ kind: 'signal', signal: 'SIGSEGV' }, 'signal SIGSEGV (native code crashed)'],
    [{ kind: 'not-spawned', message: 'ENOENT' }, 'not spawned: ENOENT'],
  ])('of %j says %j', (cause, text) => {
    expect(describeExit(cause)).toBe(text);
  });
});

describe('OomKills', () => {
  /** As Linux writes it: memory.events of version 2. */
  const events = (count: number) => `low 0\nhigh 0\nmax 12\noom ${count}\noom_kill ${count}\noom_group_kill 0\n`;

  it('gives each kill since it began to watch to one worker', () => {
    let count = 3;
    const kills = new OomKills(() => events(count));
    kills.watch();
    expect(kills.takeOne()).toBe(false);
    count = 5;
    kills.watch();
    expect([kills.takeOne(), kills.takeOne(), kills.takeOne()]).toEqual([true, true, false]);
  });

  it('reads version 1 too, and takes nothing where nobody counts', () => {
    let text: string | undefined = 'oom_kill_disable 0\nunder_oom 0\noom_kill 0\n';
    const kills = new OomKills(() => text);
    kills.watch();
    text = 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n';
    expect(kills.takeOne()).toBe(true);
    const blind = new OomKills(() => undefined);
    blind.watch();
    expect(blind.takeOne()).toBe(false);
  });
});
