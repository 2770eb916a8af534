// Stateless calls in JSON, over protocol v1: frames on stdin and stdout, one call at a time for each worker.
import { createSnakepit, python } from 'nestjs-snakepit/core';

import { worker } from './support.mjs';

const snakepit = await createSnakepit({
  adapter: python({ module: worker('weather.py'), protocol: 'v1', codec: 'json' }),
  size: 2,
});
const pool = snakepit.pool();

const years = [2012, 2013, 2014, 2015];
const numbers = await Promise.all(years.map((year) => pool.execute('year_in_numbers', { year })));
for (const [at, { days, mean_max, rain_mm, hottest }] of numbers.entries()) {
  console.log(
    `${years[at]}: ${days} days, ${mean_max} °C, ${rain_mm} mm of rain, ${hottest.temp_max} °C on ${hottest.date}`,
  );
}

// What a command raises is an error of the caller, with its class and message.
const error = await pool.execute('year_in_numbers', { year: 1900 }).catch((thrown) => thrown);
console.log(`${error.code}, ${error.remote.type}: ${error.remote.message}`);

await snakepit.close();
