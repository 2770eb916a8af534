// Python's own libraries, called without a worker: calls, stored objects, references, a pipeline, and what is refused.
import { createSnakepit, python, PythonDecimal, ref } from 'nestjs-snakepit/core';

const allow = ['math', 'statistics', 'decimal', 'json', 'collections'];
const snakepit = await createSnakepit({ adapter: python({ enhanced: { allow } }), size: 2 });
const libraries = snakepit.python();

console.log(`19.90 three times is ${await libraries.call('decimal.Decimal', [new PythonDecimal('59.70')])}`);
console.log(`the root of 2 is ${await libraries.call('math.sqrt', [2])}`);

const session = await libraries.createSession();
await session.call('collections.Counter', ['a stored object stays in its worker'], {}, { storeAs: 'letters' });
const common = await session.call('letters.most_common', [3]);
console.log(`most common: ${common.map(([letter, count]) => `'${letter}' ${count}`).join(', ')}`);

const { value } = await session.pipeline([
  { target: 'letters.values', storeAs: 'counts' },
  { target: 'statistics.fmean', args: [ref('counts')], storeAs: 'mean' },
  { target: 'json.dumps', args: [{ mean: ref('mean') }] },
]);
console.log(`pipeline: ${value}`);
console.log(`stored: ${(await session.list()).map(({ name, type }) => `${name} (${type})`).join(', ')}`);

for (const target of ['os.system', 'math.__loader__', 'letters.most_comon']) {
  await session
    .call(target, ['x'])
    .catch((error) => console.log(`${error.code}: ${error.remote.data.reason}, ${target}`));
}
await session.close();
await snakepit.close();
