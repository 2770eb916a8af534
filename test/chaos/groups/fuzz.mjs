// Mutated bytes for every decoder of the host and of the Python SDK, on all CPUs.
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { bridgePackages } from '../../../tools/python-packages.mjs';
import { TARGETS } from '../../../libs/snakepit/dist/testing/fuzz/targets.js';
import { processesFor } from '../support/cpus.mjs';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const PYTHON_FUZZ = fileURLToPath(new URL('../../fuzz/python_decoders.py', import.meta.url));
const HOST_SHARE = fileURLToPath(new URL('../support/fuzz-share.mjs', import.meta.url));
/** Inputs that one process feeds to one decoder before the next share is begun, with the next seed. */
const SHARE = 500_000;

/**
 * Gives each decoder `cycles` inputs, in shares whose seeds count up from `seed`, `processes` of them at a time.
 *
 * @param {{ seed: number, cycles: number, processes: number, progress?: (text: string) => void }} input
 * @returns figures: `frames`, the least that any decoder got, and `findings`, which must be empty
 */
export async function fuzzDecoders({ seed, cycles, processes, progress = () => {} }) {
  const packages = bridgePackages();
  const decoders = [
    ...TARGETS.map(({ name }) => ({ name: `host: ${name}`, feed: (input) => feedHost(name, input) })),
    ...pythonDecoders(packages).map((name) => ({
      name: `Python: ${name}`,
      feed: (input) => feedPython(name, input, packages),
    })),
  ];
  const shares = decoders.flatMap((decoder) => sharesOf(decoder, seed, cycles));
  const fed = new Map(decoders.map(({ name }) => [name, 0]));
  const findings = [];
  const waiting = shares.values();
  const lane = async () => {
    for (const { decoder, input } of waiting) {
      progress(`${decoder.name}: ${fed.get(decoder.name)} of ${cycles}`);
      findings.push(...(await decoder.feed(input)));
      fed.set(decoder.name, fed.get(decoder.name) + input.cycles);
    }
  };
  await Promise.all(Array.from({ length: processes }, lane));
  return { frames: Math.min(...fed.values()), findings };
}

function sharesOf(decoder, seed, cycles) {
  return Array.from({ length: Math.ceil(cycles / SHARE) }, (_, index) => ({
    decoder,
    input: { seed: seed + index, cycles: Math.min(SHARE, cycles - index * SHARE) },
  }));
}

async function feedHost(decoder, input) {
  const child = fork(HOST_SHARE, [JSON.stringify({ decoder, ...input })]);
  let figures;
  child.on('message', (message) => (figures = message));
  const [status] = await once(child, 'exit');
  if (figures === undefined) throw new Error(`the decoder '${decoder}' ended its process with status ${status}`);
  return figures.findings;
}

function pythonDecoders(packages) {
  return JSON.parse(execFileSync('python3', [PYTHON_FUZZ, '--list'], pythonOptions(packages)));
}

async function feedPython(decoder, { seed, cycles }, packages) {
  const args = [PYTHON_FUZZ, '--seed', String(seed), '--cycles', String(cycles), '--only', decoder];
  const child = spawn('python3', args, pythonOptions(packages));
  const [output, [status, signal]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (status !== 0) throw new Error(`the Python decoder '${decoder}' ended its process with ${signal ?? status}`);
  return JSON.parse(output).flatMap(({ findings }) => findings);
}

function pythonOptions(packages) {
  return { cwd: REPOSITORY, env: { ...process.env, PYTHONPATH: packages }, stdio: ['ignore', 'pipe', 'inherit'] };
}

export async function run({ cycles, seed, isQuick, progress }) {
  const { frames, findings } = await fuzzDecoders({ seed, cycles, progress, processes: processesFor({ isQuick }) });
  return { fuzz_frames: frames, fuzz_failures: findings.length, notes: findings.map((each) => JSON.stringify(each)) };
}
