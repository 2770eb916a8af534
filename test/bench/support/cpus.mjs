import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Who runs where. The host gets one CPU for itself and everything it is measured with gets the others: otherwise the
 * scheduler's whims decide a comparison. The conductor plans, and its children find the plan in their environment.
 */
const WORKER_CPUS = 'SNAKEPIT_BENCH_WORKER_CPUS';

/**
 * @returns {{ host: string, workers: string, count: number } | { reason: string }} CPU lists as `taskset` takes them, or why
 * nothing is pinned
 */
export function planCpus() {
  if (spawnSync('taskset', ['--version']).error !== undefined) {
    return { reason: 'taskset (util-linux) is missing, so host and workers share CPUs and the figures vary more' };
  }
  const [host, ...workers] = allowedCpus();
  if (workers.length === 0) return { reason: 'there is a single CPU, which host and workers share' };
  return { host: String(host), workers: workers.join(','), count: workers.length };
}

/** The program and arguments that start `command` on the host's CPU, and the environment that tells it the plan. */
export function onHostCpu(plan, command, args) {
  if ('reason' in plan) return { command, args, env: process.env };
  const env = { ...process.env, [WORKER_CPUS]: plan.workers };
  return { command: 'taskset', args: ['-c', plan.host, command, ...args], env };
}

/**
 * The program and arguments that start `command` on the workers' CPUs.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {[string, string[]]}
 */
export function onWorkerCpus(command, args) {
  const cpus = process.env[WORKER_CPUS];
  return cpus === undefined ? [command, [...args]] : ['taskset', ['-c', cpus, command, ...args]];
}

/** An adapter whose workers run on the workers' CPUs; `taskset` becomes the worker, so that its process id stays. */
export function pinned(adapter) {
  return {
    ...adapter,
    async prepare(context) {
      const spec = await adapter.prepare(context);
      const [executable, args] = onWorkerCpus(spec.executable, spec.args);
      if (spec.zygote === undefined) return { ...spec, executable, args };
      // Its forks stay on the CPUs that the zygote was given.
      const [, zygoteArgs] = onWorkerCpus(spec.executable, spec.zygote.args);
      return { ...spec, executable, args, zygote: { ...spec.zygote, args: zygoteArgs } };
    },
  };
}

/**
 * Runs `start` and moves every thread and child process that it brings forth to the workers' CPUs; for peers that start
 * their workers by themselves.
 *
 * @template T
 * @param {() => Promise<T>} start
 * @returns {Promise<T>}
 */
export async function withNewcomersOnWorkerCpus(start) {
  const cpus = process.env[WORKER_CPUS];
  if (cpus === undefined) return start();
  const before = new Set([...ownThreads(), ...childProcesses()]);
  const started = await start();
  const newThreads = ownThreads().filter((id) => !before.has(id));
  const newChildren = childProcesses().filter((id) => !before.has(id));
  for (const id of newThreads) execFileSync('taskset', ['-p', '-c', cpus, id]);
  for (const id of newChildren) execFileSync('taskset', ['-a', '-p', '-c', cpus, id]);
  return started;
}

/** Every process below this one. */
export function descendants(pid = String(process.pid)) {
  const children = childProcesses(pid);
  return children.concat(children.flatMap((child) => descendants(child)));
}

function ownThreads() {
  return readdirSync('/proc/self/task');
}

function childProcesses(pid = String(process.pid)) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const lists = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'));
  return lists.flatMap((list) => list.split(' ').filter((id) => id !== ''));
}

function allowedCpus() {
  const [, list] = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s*(\S+)$/m);
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
