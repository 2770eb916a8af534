import { expect, it } from 'vitest';

import { groupLimits } from './control-group.js';

const reading = (files: Readonly<Record<string, string>>) => (path: string) => files[path];

it('takes the narrowest limit of a group and those above it, in version 2', () => {
  const read = reading({
    '/proc/self/cgroup': '0::/kube/pod\n',
    '/sys/fs/cgroup/kube/memory.max': '536870912\n',
    '/sys/fs/cgroup/kube/pod/memory.max': 'max\n',
    '/sys/fs/cgroup/cpu.max': 'max 100000\n',
    '/sys/fs/cgroup/kube/pod/cpu.max': '150000 100000\n',
  });
  expect(groupLimits(read)).toEqual({ memoryBytes: 536_870_912, cpus: 1.5 });
});

it('finds the limits of a container, whose group is the root of what it sees', () => {
  const read = reading({
    '/proc/self/cgroup': '0::/\n',
    '/sys/fs/cgroup/memory.max': '1073741824',
    '/sys/fs/cgroup/cpu.max': '200000 100000',
  });
  expect(groupLimits(read)).toEqual({ memoryBytes: 2 ** 30, cpus: 2 });
});

it('reads version 1', () => {
  const read = reading({
    '/proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': '268435456\n',
    '/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us': '50000\n',
    '/sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us': '100000\n',
  });
  expect(groupLimits(read)).toEqual({ memoryBytes: 2 ** 28, cpus: 0.5 });
});

it('knows of none where nothing limits', () => {
  const read = reading({
    '/proc/self/cgroup': '4:memory:/\n3:cpu:/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  });
  expect(groupLimits(read)).toEqual({ memoryBytes: undefined, cpus: undefined });
  expect(groupLimits(() => undefined)).toEqual({ memoryBytes: undefined, cpus: undefined });
});
