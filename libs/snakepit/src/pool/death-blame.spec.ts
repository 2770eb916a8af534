import { describe, expect, it } from 'vitest';

import { blame, mayBlameCommand } from './death-blame.js';

describe('the blame for a death', () => {
  it('is on nobody when the worker had nothing to do', () => {
    expect(blame([], () => false)).toEqual({ kind: 'nobody' });
  });

  it('is on the command that all calls in its hands were of', () => {
    expect(blame(['a'], () => false)).toEqual({ kind: 'guilty', command: 'a' });
    expect(blame(['a', 'a', 'a'], () => false)).toEqual({ kind: 'guilty', command: 'a' });
  });

  it('makes suspects of several, until one of them has killed on its own', () => {
    expect(blame(['a', 'b', 'a'], () => false)).toEqual({ kind: 'suspects', commands: ['a', 'b'] });
    expect(blame(['a', 'b', 'a'], (command) => command === 'b')).toEqual({ kind: 'guilty', command: 'b' });
    expect(blame(['a', 'b', 'c'], (command) => command !== 'c')).toEqual({
      kind: 'suspects',
      commands: ['a', 'b', 'c'],
    });
  });
});

describe('a death', () => {
  it.each([
    [{ kind: 'exit', status: 3 }, true],
    [{ kind: 'exit', status: 0 }, false],
    [{ kind: 'signal', signal: 'SIGSEGV' }, true],
    [{ kind: 'signal', signal: 'SIGABRT' }, true],
    [{ kind: 'signal', signal: 'SIGKILL' }, false],
    [{ kind: 'signal', signal: 'SIGTERM' }, false],
    [{ kind: 'unknown', message: 'x' }, false],
    [{ kind: 'not-spawned', message: 'x' }, false],
  ] as const)("by %j can be a command's doing: %s", (cause, expected) => {
    expect(mayBlameCommand(cause)).toBe(expected);
  });
});
