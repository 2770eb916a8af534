// Makes and checks everything that is published, in the folder `artifacts`.
// Usage: node tools/pack/main.mjs [step …]
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { isPossible, STEPS } from './steps.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const out = join(repository, 'artifacts');
const asked = process.argv.slice(2);
const unknown = asked.find((step) => !(step in STEPS));
if (unknown !== undefined) {
  console.error(`There is no step '${unknown}'. Steps: ${Object.keys(STEPS).join(', ')}.`);
  process.exit(2);
}

// One step alone adds to what the others have made.
if (asked.length === 0) rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
for (const [step, make] of Object.entries(STEPS)) {
  if (asked.length > 0 ? !asked.includes(step) : !isPossible(step, repository)) continue;
  try {
    console.log(`${step}: ${await make({ repository, out })}`);
  } catch (error) {
    console.error(`${step}: ${error.message}`);
    process.exitCode = 1;
  }
}
