/**
 * @typedef {object} ChaosFigure
 * @property {string} key name in the JSON
 * @property {string} title what it counts
 * @property {{ atLeast: number } | { atMost: number }} [target] absent: shown for comparison
 * @property {boolean} [isPromise] whether missing the target fails the run; by default, when the target is `atMost: 0`
 */

/**
 * @typedef {object} ChaosGroup
 * @property {string} name for `--only`; its file in `groups/` exports `run(how)`, which resolves to numbers by figure
 * @property {number} cycles of a full run; what a cycle is, `unit` says
 * @property {number} quickCycles
 * @property {string} unit
 * @property {boolean} isTimed whether its figures are times, so that nothing else may run beside it
 * @property {number} timeoutMinutes after which it counts as hung
 * @property {readonly ChaosFigure[]} figures
 */

/** Milliseconds the pool gives a hung worker before it is killed; the hang group sets it. */
const HANG_GRACE_MS = 200;

/** @type {readonly ChaosGroup[]} In the order in which they run. */
export const GROUPS = [
  {
    name: 'kills',
    cycles: 1_000,
    quickCycles: 4,
    unit: 'workers killed',
    isTimed: true,
    timeoutMinutes: 15,
    figures: [
      { key: 'kills', title: 'workers killed under load' },
      { key: 'kill_calls', title: 'calls made meanwhile' },
      { key: 'calls_unsettled', title: 'calls without an outcome', target: { atMost: 0 } },
      { key: 'calls_settled_twice', title: 'outcomes that were not the first', target: { atMost: 0 } },
      { key: 'calls_wrong_result', title: "results that were another call's", target: { atMost: 0 } },
      { key: 'wrong_delivery', title: "'not started' of calls that had begun", target: { atMost: 0 } },
      { key: 'kill_failures_idempotent', title: 'failed idempotent calls', target: { atMost: 0 } },
    ],
  },
  {
    name: 'faults',
    cycles: 1_200,
    quickCycles: 2,
    unit: 'faults',
    isTimed: true,
    timeoutMinutes: 20,
    figures: [
      { key: 'faults_injected', title: 'faults of every kind that reached a worker' },
      { key: 'fault_calls', title: 'calls made meanwhile' },
      { key: 'fault_calls_unsettled', title: 'calls without an outcome', target: { atMost: 0 } },
      { key: 'fault_calls_wrong', title: 'wrong results, and errors of no known kind', target: { atMost: 0 } },
      { key: 'fault_pools_dead', title: 'pools that did not come back', target: { atMost: 0 } },
      { key: 'fault_processes_left', title: 'processes left behind', target: { atMost: 0 } },
    ],
  },
  {
    name: 'recovery',
    cycles: 40,
    quickCycles: 2,
    unit: 'workers killed in each pool',
    isTimed: true,
    timeoutMinutes: 5,
    figures: [
      { key: 'recovery_p95_ms', title: 'kill → full size, p95 in ms', target: { atMost: 150 } },
      { key: 'recovery_zygote_p95_ms', title: 'the same with a zygote', target: { atMost: 40 } },
      { key: 'errors_per_kill', title: 'failed idempotent calls per kill', target: { atMost: 0 } },
      { key: 'errors_per_kill_plain', title: 'failed other calls, most in one kill', target: { atMost: 64 } },
    ],
  },
  {
    name: 'orphans',
    cycles: 200,
    quickCycles: 3,
    unit: 'hosts killed',
    isTimed: true,
    timeoutMinutes: 15,
    figures: [
      { key: 'orphans', title: 'processes that outlived their host', target: { atMost: 0 } },
      { key: 'orphan_gone_ms_max', title: 'last process gone, ms', target: { atMost: 250 } },
      { key: 'orphan_processes', title: 'processes there were to end' },
      { key: 'orphan_folders', title: 'folders left behind', target: { atMost: 0 } },
    ],
  },
  {
    name: 'hangs',
    cycles: 10,
    quickCycles: 1,
    unit: 'hangs of each way',
    isTimed: true,
    timeoutMinutes: 5,
    figures: [
      { key: 'hung_replaced_ms_max', title: 'deadline → fresh worker, ms', target: { atMost: HANG_GRACE_MS + 500 } },
      { key: 'hung_settled_late_ms_max', title: 'caller told after its deadline, ms' },
      { key: 'hung_with_stacks', title: 'share of errors with stacks', target: { atLeast: 1 } },
    ],
  },
  {
    name: 'cancels',
    cycles: 40,
    quickCycles: 2,
    unit: 'rounds of each pool',
    isTimed: true,
    timeoutMinutes: 5,
    figures: [
      { key: 'stream_closed_ms_p95', title: 'consumer leaves → generator closed, p95 in ms', target: { atMost: 50 } },
      { key: 'abort_seen_ms_p95', title: 'signal aborts → command knows, p95 in ms', target: { atMost: 100 } },
      { key: 'abort_told_ms_p95', title: 'signal aborts → caller knows, p95 in ms', target: { atMost: 100 } },
    ],
  },
  {
    name: 'reload',
    cycles: 20,
    quickCycles: 1,
    unit: 'reloads of each pool',
    isTimed: true,
    timeoutMinutes: 10,
    figures: [
      { key: 'reload_failed_calls', title: 'calls failed by a reload', target: { atMost: 0 } },
      { key: 'reload_calls', title: 'calls made meanwhile' },
      { key: 'reload_ms_max', title: 'longest reload, ms' },
    ],
  },
  {
    name: 'overload',
    cycles: 7,
    quickCycles: 1,
    unit: 'rounds',
    isTimed: true,
    timeoutMinutes: 5,
    figures: [
      { key: 'overload_goodput_x', title: 'goodput at 3 × capacity ÷ at capacity', target: { atLeast: 0.9 } },
      { key: 'overload_goodput_unshed_x', title: 'the same without shedding' },
      { key: 'overload_high_in_time', title: 'share of urgent calls answered in time' },
    ],
  },
  {
    name: 'soak',
    cycles: 20,
    quickCycles: 0.04,
    unit: 'minutes',
    isTimed: false,
    timeoutMinutes: 30,
    figures: [
      { key: 'soak_rss_x', title: 'host RSS, end ÷ minute 2', target: { atMost: 1.1 } },
      { key: 'soak_handles_x', title: 'handles, end ÷ minute 2', target: { atMost: 1.05 } },
      { key: 'soak_workers_rss_x', title: "workers' memory, end ÷ minute 2" },
      { key: 'soak_calls', title: 'calls and streams made' },
      { key: 'soak_unexpected', title: 'outcomes that were not the expected', target: { atMost: 0 } },
    ],
  },
  {
    name: 'simulation',
    cycles: 1_000_000,
    quickCycles: 100,
    unit: 'schedules',
    isTimed: false,
    timeoutMinutes: 240,
    figures: [
      { key: 'sim_schedules', title: 'random schedules', target: { atLeast: 1_000_000 } },
      { key: 'sim_violations', title: 'broken invariants', target: { atMost: 0 } },
    ],
  },
  {
    name: 'fuzz',
    cycles: 5_000_000,
    quickCycles: 200,
    unit: 'inputs for each decoder',
    isTimed: false,
    timeoutMinutes: 240,
    figures: [
      { key: 'fuzz_frames', title: 'inputs, least of any decoder', target: { atLeast: 5_000_000 } },
      { key: 'fuzz_failures', title: 'crashes, hangs and over-allocations', target: { atMost: 0 } },
    ],
  },
];

export const GROUP_NAMES = GROUPS.map(({ name }) => name);

/** Whether a figure holds; undefined for one that promises nothing. */
export function holds({ target }, value) {
  if (target === undefined) return undefined;
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

/** Whether missing it fails the run: nothing may be lost, whatever the machine does; times and totals are only shown. */
export function isPromise({ target, isPromise: isSaid }) {
  return isSaid ?? (target !== undefined && 'atMost' in target && target.atMost === 0);
}
