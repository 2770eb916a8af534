// Workers in R: a linear model, a data frame as a result, and a stream. Needs R 4.1 and its package jsonlite.
import { createSnakepit, r } from 'nestjs-snakepit/core';

import { data, worker } from './support.mjs';

const adapter = r({ module: worker('regression.R'), env: { WEATHER: data('seattle-weather.csv') } });
const snakepit = await createSnakepit({ adapter, size: 1 });
const pool = snakepit.pool();

const { coefficients, r_squared } = await pool.execute('model');
console.log(`temp_max = ${coefficients['(Intercept)']} + ${coefficients.temp_min} temp_min …, R² ${r_squared}`);

const kinds = await pool.execute('rain_by_kind', { year: 2015 });
console.log(kinds.map(({ weather, precipitation }) => `${weather} ${precipitation} mm`).join(', '));

const quantiles = [];
for await (const value of pool.iterate('quantiles', { column: 'temp_max' })) quantiles.push(value);
console.log(`a tenth, half and nine tenths of the days were cooler than ${quantiles.join(', ')} °C`);

const { code, remote } = await pool.execute('rain_by_kind', { year: 1900 }).catch((thrown) => thrown);
console.log(`${code}: ${remote.message}`);
await snakepit.close();
