import type { ReadSystemFile } from './system-files.js';

/** What a control group of Linux allows to this process and its workers; undefined: as much as there is. */
export interface GroupLimits {
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
}

const ROOT = '/sys/fs/cgroup';

/** https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max, cpu.max), and version 1 before it. */
export function groupLimits(read: ReadSystemFile): GroupLimits {
  const groups = read('/proc/self/cgroup') ?? '';
  const unified = /^0::(.*)$/m.exec(groups)?.[1];
  const folders = unified === undefined ? [] : ancestors(unified).map((path) => ROOT + path);
  const own = (controller: string) =>
    new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(groups)?.[1];
  const [memory, cpu] = [own('memory'), own('cpu')];
  return {
    memoryBytes: least([
      ...folders.map((folder) => bytesOf(read(`${folder}/memory.max`))),
      ...(memory === undefined ? [] : ancestors(memory)).map((path) =>
        bytesOf(read(`${ROOT}/memory${path}/memory.limit_in_bytes`)),
      ),
    ]),
    cpus: least([
      ...folders.map((folder) => quotaOf(read(`${folder}/cpu.max`))),
      ...(cpu === undefined ? [] : ancestors(cpu)).map((path) =>
        quotaOf(
          `${read(`${ROOT}/cpu${path}/cpu.cfs_quota_us`) ?? 'max'} ${read(`${ROOT}/cpu${path}/cpu.cfs_period_us`) ?? ''}`,
        ),
      ),
    ]),
  };
}

/** A group and those above it, all of which limit; in a container its own group is the root of what it sees. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, depth) =>
    parts
      .slice(0, depth)
      .map((part) => `/${part}`)
      .join(''),
  );
}

function bytesOf(text: string | undefined): number | undefined {
  const bytes = Number(text?.trim());
  // Version 1 writes no limit as the largest number of pages.
  return text === undefined || Number.isNaN(bytes) || bytes > 2 ** 60 ? undefined : bytes;
}

/** `QUOTA PERIOD` in microseconds, or `max PERIOD`. */
function quotaOf(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? '').trim().split(/\s+/).map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
