// Mutated bytes for every decoder of the host and of the Python SDK.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';

import { bridgePackages } from '../../../tools/python-packages.mjs';
import { fuzz } from '../../../libs/snakepit/dist/testing/fuzz/fuzz.js';
import { loadSeeds } from '../../../libs/snakepit/dist/testing/fuzz/seeds.js';
import { TARGETS } from '../../../libs/snakepit/dist/testing/fuzz/targets.js';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const PYTHON_FUZZ = fileURLToPath(new URL('../../fuzz/python_decoders.py', import.meta.url));

/**
 * @param {{ seed: number, cycles: number, progress?: (text: string) => void, packages?: string }} input `cycles` is how many inputs each
 * decoder gets; `packages` a folder with msgpack for Python
 * @returns figures: `fuzz_frames` is the least that any decoder got, and `fuzz_findings` what must be empty
 */
export async function fuzzDecoders({ seed, cycles, progress = () => {}, packages = bridgePackages() }) {
  const seeds = loadSeeds(REPOSITORY);
  const decoders = TARGETS.map((target) => {
    const told = (name, done) => progress(`${name}: ${done} of ${cycles}`);
    const { frames, acceptedShare, findings } = fuzz({ seed, cycles, seeds, targets: [target], progress: told });
    return { name: `host: ${target.name}`, frames, acceptedShare, findings };
  });
  decoders.push(...(await fuzzPython({ seed, cycles, progress, packages })));
  return {
    seed,
    fuzz_frames: Math.min(...decoders.map(({ frames }) => frames)),
    fuzz_findings: decoders.flatMap(({ findings }) => findings),
    decoders: decoders.map(({ name, frames, acceptedShare }) => ({ name, frames, acceptedShare })),
  };
}

async function fuzzPython({ seed, cycles, progress, packages }) {
  progress(`Python: ${cycles} for each decoder`);
  const args = [PYTHON_FUZZ, '--seed', String(seed), '--cycles', String(cycles)];
  const child = spawn('python3', args, {
    cwd: REPOSITORY,
    env: { ...process.env, PYTHONPATH: packages },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (status !== 0) throw new Error(`${PYTHON_FUZZ} ended with status ${status}`);
  return JSON.parse(output);
}

export async function run({ cycles, seed, progress }) {
  const { fuzz_frames, fuzz_findings: findings } = await fuzzDecoders({ seed, cycles, progress });
  return { fuzz_frames, fuzz_failures: findings.length, notes: findings.map((each) => JSON.stringify(each)) };
}
