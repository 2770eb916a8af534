// A Python bridge that was written for snakepit 0.3, run as it is: the adapter says what it can do and for how long.
import { createSnakepit, custom } from 'nestjs-snakepit/core';

import { worker } from './support.mjs';

const adapter = custom({
  executable: 'python3',
  script: worker('custom_bridge.py'),
  args: ['--quiet'],
  env: { PYTHONPATH: new URL('../bridges/python', import.meta.url).pathname },
  supportedCommands: ['ping', 'hash', 'readability'],
  validate: (command, { text }) => {
    if (command !== 'ping' && typeof text !== 'string') throw new TypeError(`${command} needs a text`);
  },
  processResponse: (command, result) => (command === 'hash' ? result.digest : result),
});
const snakepit = await createSnakepit({ adapter, size: 2 });
const pool = snakepit.pool();

const text = 'Call me Ishmael. Some years ago I thought I would sail about a little.';
console.log(await pool.execute('hash', { text }));
console.log(await pool.execute('readability', { text }));
for (const [command, args] of [
  ['hash', {}],
  ['translate', { text }],
  ['hash', { text, algorithm: 'rot13' }],
]) {
  const { code, delivery } = await pool.execute(command, args).catch((thrown) => thrown);
  console.log(`${command}: ${code}, ${delivery}`);
}

await snakepit.close();
