// Some of the inputs for one decoder of the host; told by its only argument, and tells by a message.
import { fileURLToPath } from 'node:url';

import { fuzz } from '../../../libs/snakepit/dist/testing/fuzz/fuzz.js';
import { loadSeeds } from '../../../libs/snakepit/dist/testing/fuzz/seeds.js';
import { TARGETS } from '../../../libs/snakepit/dist/testing/fuzz/targets.js';

const { decoder, ...input } = JSON.parse(process.argv[2]);
const seeds = loadSeeds(fileURLToPath(new URL('../../..', import.meta.url)));
process.send(fuzz({ ...input, seeds, targets: TARGETS.filter(({ name }) => name === decoder) }));
process.disconnect();
