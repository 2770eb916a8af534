import { describe, expect, it } from 'vitest';

import { resolveOptions } from '../core/index.js';
import { privilegedCommand } from './privileged-command.js';
import { checkPrivileges, privilegeOptionTable, type HostSystem, type Privileges } from './privileges.js';

const root: HostSystem = { platform: 'linux', uid: 0, gid: 0 };
const user: HostSystem = { platform: 'linux', uid: 1_000, gid: 1_000 };
const resolve = (given: Partial<Privileges>) => resolveOptions(privilegeOptionTable, given);

describe('privileges', () => {
  it.each<[string, Partial<Privileges>, HostSystem]>([
    ['none, anywhere', {}, { platform: 'win32', uid: undefined, gid: undefined }],
    ['another user, by root', { uid: 7, gid: 7 }, root],
    ['the own user', { uid: 1_000, gid: 1_000 }, user],
    ['more CPU than others, by root', { nice: -5 }, root],
    ['more CPU than others for root itself', { nice: -5, uid: 0, gid: 0 }, root],
    ['less, and limits', { nice: 5, openFiles: 64, memoryBytes: 2 ** 30 }, user],
    ['limits that macOS knows', { openFiles: 64, cpuSeconds: 5 }, { ...user, platform: 'darwin' }],
  ])('are granted: %s', (_, given, system) => {
    expect(() => checkPrivileges(resolve(given), 'p', system)).not.toThrow();
  });

  it.each<[string, Partial<Privileges>, HostSystem, RegExp]>([
    [
      'a user without a group',
      { uid: 7 },
      root,
      /'p\.uid' is 7; without 'gid' workers would keep the group of the host/,
    ],
    [
      'another user',
      { uid: 7, gid: 1_000 },
      user,
      /'p\.uid' is 7; only root may change it, and the host runs as user 1000/,
    ],
    ['another group', { gid: 7 }, user, /'p\.gid' is 7; only root may change it/],
    ['more CPU than others', { nice: -1 }, user, /'p\.nice' is -1; only root may/],
    ['more CPU for another user', { nice: -1, uid: 7, gid: 7 }, root, /'p\.nice' is -1; user 7 may not/],
    ['memory on macOS', { memoryBytes: 2 ** 30 }, { ...user, platform: 'darwin' }, /macOS does not enforce it/],
    ['anything on Windows', { nice: 3 }, { platform: 'win32', uid: undefined, gid: undefined }, /Windows/],
  ])('are refused: %s', (_, given, system, message) => {
    expect(() => checkPrivileges(resolve(given), 'p', system)).toThrow(message);
  });
});

describe('the command of a worker', () => {
  const spec = {
    language: 'x',
    executable: 'prog',
    args: ['a b', '$c'],
    env: {},
    protocol: 'v2',
    codec: 'auto',
  } as const;
  const of = (given: Partial<Privileges>) => privilegedCommand({ ...spec, privileges: resolve(given) });

  it('is its program where nothing, or nothing but its user, is to be set', () => {
    expect(privilegedCommand(spec)).toEqual({ executable: 'prog', args: spec.args });
    expect(of({})).toEqual({ executable: 'prog', args: spec.args });
    expect(of({ uid: 7, gid: 8 })).toEqual({ executable: 'prog', args: spec.args, uid: 7, gid: 8 });
  });

  it('is else a shell that becomes it, with arguments that no shell reads', () => {
    const { executable, args } = of({ umask: 0o27, cpuSeconds: 9 });
    expect(executable).toBe('/bin/sh');
    expect(args.slice(2)).toEqual(['snakepit', 'prog', 'a b', '$c']);
    expect(args[1]).toMatch(/^umask 0027 \|\| .*\nulimit -S -t 9 && ulimit -H -t 10 \|\| .*\nexec "\$@"$/);
  });
});
