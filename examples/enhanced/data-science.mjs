// A data science workflow: a CSV becomes a table of pandas, is cleaned, grouped and learned from, and nothing but figures comes back.
// Python needs `pip install pandas scikit-learn`.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { createSnakepit, python, ref } from 'nestjs-snakepit/core';

const file = fileURLToPath(new URL('../../apps/demo/data/seattle-weather.csv', import.meta.url));
const env = process.env.PYTHONPATH === undefined ? {} : { PYTHONPATH: process.env.PYTHONPATH };
const adapter = python({ enhanced: { allow: ['pandas', 'sklearn.*'] }, env });
const snakepit = await createSnakepit({ adapter, size: 1, timeoutMs: 120_000 });
const session = await snakepit.python().createSession();

const table = await session.loadDataframe(
  { csv: await readFile(file) },
  { storeAs: 'days', reader: { parse_dates: ['date'] } },
);
console.log(`${table.shape[0]} days, ${table.shape[1]} columns`);

await session.call('days.groupby', ['weather'], {}, { storeAs: 'kinds' });
const warmth = await session.call('kinds.temp_max.mean');
for (const [kind, mean] of Object.entries(warmth.toObject())) console.log(`${kind}: ${mean.toFixed(1)} °C`);

const features = ['precipitation', 'temp_min', 'wind'];
await session
  .call('days.iloc.__getitem__', [ref('first_years')])
  .catch(({ code }) => console.log(`a reference to nothing: ${code}`));
const model = await session.createModel('sklearn.linear_model.LinearRegression', {}, { storeAs: 'model' });
const { rows, score } = await session.trainModel(model, { data: ref('days'), target: 'temp_max', features });
console.log(`learned from ${rows} days, R² ${score.toFixed(2)}`);

const predicted = await session.predict(model, ref('days'), { features });
console.log(
  `${predicted.data.constructor.name} of ${predicted.data.length}, the first ${predicted.data[0].toFixed(1)} °C`,
);
await snakepit.close();
