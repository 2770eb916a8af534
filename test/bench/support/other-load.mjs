import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100; // USER_HZ: what /proc counts in, on every machine

/**
 * How much of the machine others use while something is measured: CPU time of all processes less that of this one's finished
 * children. A comparison survives other load, a tail does not: who is off the CPU for 4 ms has a p99 of 4 ms.
 *
 * @returns {() => number | undefined} CPUs that others used since; undefined where there is no `/proc`
 */
export function watchOtherLoad() {
  const before = snapshot();
  return () => {
    const after = snapshot();
    if (before === undefined || after === undefined) return undefined;
    const ticks = after.all - before.all - (after.own - before.own);
    return Math.max(0, ticks / TICKS_PER_SECOND / ((after.at - before.at) / 1_000));
  };
}

function snapshot() {
  try {
    const [user, nice, system, , , irq, softirq, steal] = fields(
      readFileSync('/proc/stat', 'utf8').split('\n')[0],
      'cpu',
    );
    // Of the process itself and of those of its children that have ended, with their children in turn.
    const own = fields(readFileSync('/proc/self/stat', 'utf8'), ')').slice(11, 15);
    return { at: performance.now(), all: sum([user, nice, system, irq, softirq, steal]), own: sum(own) };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The numbers behind the last occurrence of a mark. */
function fields(line, mark) {
  return line
    .slice(line.lastIndexOf(mark) + mark.length)
    .trim()
    .split(/\s+/)
    .map(Number);
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
