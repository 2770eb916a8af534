import { readFileSync } from 'node:fs';

const PROC = '/proc/self/cgroup';
const CGROUPS = '/sys/fs/cgroup';

/**
 * Counts the processes that the kernel has killed in this host's control group for lack of memory, which workers share unless
 * somebody moved them. Where the system does not count, nothing is ever taken.
 */
export class OomKills {
  readonly #read: () => string | undefined;
  #taken: number | undefined;

  /** `read` gives the text with the line `oom_kill COUNT`. */
  constructor(read: () => string | undefined) {
    this.#read = read;
  }

  /** Everything up to now is no worker's; later calls change nothing. */
  watch(): void {
    this.#taken ??= this.#count();
  }

  /** Whether there was a kill that no earlier call has taken. */
  takeOne(): boolean {
    const count = this.#count();
    if (count === undefined || this.#taken === undefined || count <= this.#taken) return false;
    this.#taken += 1;
    return true;
  }

  #count(): number | undefined {
    const found = /^oom_kill (\d+)$/m.exec(this.#read() ?? '');
    return found === null ? undefined : Number(found[1]);
  }
}

/** Of this host's group. */
export const oomKills = new OomKills(readEvents);

/** Version 2 (memory.events), else version 1 (memory.oom_control); in a container its own group is the root of what it sees. */
function readEvents(): string | undefined {
  const groups = readText(PROC) ?? '';
  const unified = /^0::(.*)$/m.exec(groups)?.[1];
  const memory = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
  const candidates = [
    ...(unified === undefined ? [] : [`${CGROUPS}${unified}/memory.events`, `${CGROUPS}/memory.events`]),
    ...(memory === undefined
      ? []
      : [`${CGROUPS}/memory${memory}/memory.oom_control`, `${CGROUPS}/memory/memory.oom_control`]),
  ];
  for (const path of candidates) {
    const text = readText(path);
    if (text !== undefined) return text;
  }
  return undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
