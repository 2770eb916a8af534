// Hosts killed with SIGKILL while their workers are deaf, and what is left of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { bridgePackages } from '../../../tools/python-packages.mjs';
import { guardianOf, isAlive, processesOf } from '../support/processes.mjs';
import { randomFrom } from '../support/random.mjs';

const HOST = fileURLToPath(new URL('../hosts/busy.mjs', import.meta.url));
const SCENARIOS = ['python', 'python zygote', 'node', 'python v1', 'node gRPC', 'python gRPC', 'node v1'];
/** After which what is still there is counted as an orphan, and killed. */
const PATIENCE_MS = 2_000;
/** One host in this many is killed at any moment of its start instead of when all its workers are busy. */
const EARLY_EVERY = 4;
const LONGEST_START_MS = 600;

/**
 * Figures over `cycles` killed hosts: `orphans` (processes that had to be killed by hand), `orphan_gone_ms_max` and `_p50` (from the
 * kill to the last process's end), `orphan_processes` (how many there were to end), `orphan_folders` (left in the folder for temporary
 * files). `onProgress` is called with a line after each.
 */
export async function orphans({ cycles = 200, seed = 1, onProgress = () => {} } = {}) {
  const random = randomFrom(seed);
  const goneMs = [];
  const hosts = [];
  const sums = { orphans: 0, processes: 0, folders: 0 };
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const scenario = SCENARIOS[cycle % SCENARIOS.length];
    const isEarly = cycle % EARLY_EVERY === EARLY_EVERY - 1;
    const outcome = await killHost(scenario, isEarly ? Math.round(random() * LONGEST_START_MS) : undefined);
    goneMs.push(outcome.goneMs);
    hosts.push(outcome.host);
    for (const name of Object.keys(sums)) sums[name] += outcome[name];
    const when = isEarly ? ', killed while it started' : '';
    onProgress(
      `${cycle + 1}/${cycles} ${scenario}${when}: ${outcome.processes} gone in ${outcome.goneMs} ms, ${outcome.orphans} left`,
    );
  }
  const late = hosts.flatMap(processesOf);
  for (const pid of late) process.kill(pid, 'SIGKILL');
  const sorted = goneMs.toSorted((a, b) => a - b);
  return {
    orphans: sums.orphans + late.length,
    orphan_gone_ms_max: sorted.at(-1),
    orphan_gone_ms_p50: sorted[Math.floor(sorted.length / 2)],
    orphan_processes: sums.processes,
    orphan_folders: sums.folders,
  };
}

async function killHost(scenario, afterMs) {
  const host = spawn(process.execPath, [HOST, scenario, 'wait', bridgePackages()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(host, 'exit');
  const told = afterMs === undefined ? await firstLine(host.stdout) : await sleep(afterMs, {});
  const known = [...(told.pids ?? []), ...(told.family ?? []), guardianOf(host.pid)].filter(Boolean);
  const victims = new Set([...known, ...processesOf(host.pid)]);
  const killedAt = performance.now();
  host.kill('SIGKILL');
  await exit;
  let left = [];
  do {
    await sleep(1);
    // Of a host that is killed early nobody has told; what it has started may yet come to be.
    const known = [...victims].filter(isAlive);
    left = known.length > 0 ? known : processesOf(host.pid);
    for (const pid of left) victims.add(pid);
  } while (left.length > 0 && performance.now() - killedAt < PATIENCE_MS);
  const goneMs = Math.round(performance.now() - killedAt);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  return { host: host.pid, goneMs, orphans: left.length, processes: victims.size, folders: foldersOf(host.pid).length };
}

async function firstLine(stream) {
  const lines = createInterface({ input: stream });
  const [line] = await once(lines, 'line');
  lines.close();
  return JSON.parse(line);
}

function foldersOf(hostPid) {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`snakepit-${hostPid}.`));
}

export async function run({ cycles, seed, progress }) {
  return orphans({ cycles, seed, onProgress: progress });
}
