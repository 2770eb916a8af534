// Stateless calls in MessagePack: binary travels as it is. Python needs `pip install msgpack`.
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

import { createSnakepit, python } from 'nestjs-snakepit/core';

import { data, packages, worker } from './support.mjs';

const adapter = python({ module: worker('archive.py'), protocol: 'v1', codec: 'msgpack', env: packages });
const snakepit = await createSnakepit({ adapter, size: 2 });

for (const name of ['airports.csv', 'seattle-weather.csv']) {
  const file = await readFile(data(name));
  const packed = await snakepit.pool().execute('pack', { data: file });
  const isSame = gunzipSync(packed).equals(file);
  console.log(
    `${name}: ${file.length} bytes, packed ${Math.round((100 * packed.length) / file.length)} %, unpacked the same: ${isSame}`,
  );
}

await snakepit.close();
