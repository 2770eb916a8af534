// One process's share of the schedules; told by its only argument, and tells by messages.
import { simulate } from '../../../libs/snakepit/dist/testing/simulation/simulate.js';

const input = JSON.parse(process.argv[2]);
process.send(await simulate({ ...input, progress: (done) => process.send(done) }));
process.disconnect();
