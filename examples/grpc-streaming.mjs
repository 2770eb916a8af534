// Streams over gRPC: as an Observable, and pulled by a loop. Needs what grpc-calls.mjs needs.
import { createSnakepit, python } from 'nestjs-snakepit/core';
import { map, take, toArray, lastValueFrom } from 'rxjs';

import { packages, worker } from './support.mjs';

const adapter = python({ module: worker('weather.py'), transport: 'grpc', env: packages });
const snakepit = await createSnakepit({ adapter, size: 1 });
const pool = snakepit.pool();

// Taking two unsubscribes, which stops the generator in the worker.
const first = pool.stream('wet_spells', { year: 2014 }).pipe(
  take(2),
  map(({ from }) => from),
  toArray(),
);
console.log(`the first of 2014: ${(await lastValueFrom(first)).join(', ')}`);

let longest = { days: 0 };
for await (const spell of pool.iterate('wet_spells', { year: 2014, at_least: 3 })) {
  if (spell.days > longest.days) longest = spell;
}
console.log(`the longest: ${longest.days} days from ${longest.from}, ${longest.rain_mm} mm`);

await snakepit.close();
