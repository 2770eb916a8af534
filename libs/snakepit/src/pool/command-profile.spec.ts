import { describe, expect, it } from 'vitest';

import { CommandProfile } from './command-profile.js';

describe('CommandProfile', () => {
  it('knows nothing of a new command', () => {
    const profile = new CommandProfile('call');
    expect([profile.pace, profile.estimateUs]).toEqual(['unknown', 0]);
  });

  it('takes the first measurement as it is', () => {
    const profile = new CommandProfile('call');
    profile.learn(40);
    expect([profile.pace, profile.estimateUs]).toEqual(['fast', 40]);
  });

  it('doubts a fast command after one slow call, and trusts it again only after many fast ones', () => {
    const profile = new CommandProfile('call');
    profile.learn(20);
    profile.learn(60_000);
    expect(profile.pace).toBe('slow');
    let calls = 0;
    for (; profile.pace === 'slow'; calls += 1) profile.learn(20);
    expect(calls).toBeGreaterThan(50);
    expect(calls).toBeLessThan(100);
  });

  it('calls a command slow above 1 ms only', () => {
    const profile = new CommandProfile('call');
    profile.learn(1_000);
    expect(profile.pace).toBe('fast');
    profile.learn(1_002);
    expect(profile.pace).toBe('slow');
  });

  it('takes every stream for slow, whatever is measured', () => {
    const profile = new CommandProfile('stream');
    profile.learn(1);
    expect([profile.pace, profile.estimateUs]).toEqual(['slow', 0]);
  });
});
