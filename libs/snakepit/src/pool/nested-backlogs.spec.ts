import { describe, expect, it } from 'vitest';

import type { WaitingCall } from './backlog.js';
import { CommandProfile } from './command-profile.js';
import { NestedBacklogs } from './nested-backlogs.js';

interface Named extends WaitingCall {
  readonly name: string;
}

function call(name: string, admittedAt: number): Named {
  const links = { queue: undefined, before: undefined, after: undefined };
  return { name, admittedAt, priority: 'normal', profile: new CommandProfile('call'), ...links };
}

describe('NestedBacklogs', () => {
  it('offers the deepest first, and of those the oldest', () => {
    const backlogs = new NestedBacklogs<Named>();
    backlogs.at(1).push(call('a1', 0));
    backlogs.at(3).push(call('c1', 1));
    backlogs.at(1).push(call('a2', 2));
    backlogs.at(3).push(call('c2', 3));
    expect(backlogs.size).toBe(4);
    const offered: string[] = [];
    backlogs.drainInto((each) => {
      offered.push(each.name);
      each.queue?.remove(each);
      return true;
    });
    expect(offered).toEqual(['c1', 'c2', 'a1', 'a2']);
    expect(backlogs.size).toBe(0);
  });

  it('goes on with those that are less deep where one finds no worker', () => {
    const backlogs = new NestedBacklogs<Named>();
    backlogs.at(1).push(call('a', 0));
    backlogs.at(2).push(call('b', 1));
    const offered: string[] = [];
    backlogs.drainInto((each) => {
      offered.push(each.name);
      return false;
    });
    expect(offered).toEqual(['b', 'a']);
    expect(backlogs.calls().map(({ name }) => name)).toEqual(['a', 'b']);
  });
});
