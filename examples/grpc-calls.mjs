// Calls over gRPC, on a private Unix socket. Python needs `pip install grpcio grpcio-health-checking protobuf`, the host `npm install @grpc/grpc-js`.
import { createSnakepit, python } from 'nestjs-snakepit/core';

import { packages, worker } from './support.mjs';

const adapter = python({ module: worker('weather.py'), transport: 'grpc', env: packages });
const snakepit = await createSnakepit({ adapter, size: 1 });
const pool = snakepit.pool();

const { hottest, rain_mm } = await pool.execute('year_in_numbers', { year: 2013 });
console.log(`2013: ${hottest.temp_max} °C on ${hottest.date}, ${rain_mm} mm of rain`);

const error = await pool.execute('year_in_numbers', { year: 1900 }).catch((thrown) => thrown);
console.log(
  `${error.code} (gRPC status ${error.grpcStatus}), raised in ${error.remote.traceback.match(/in (\w+)\n/)[1]}`,
);

await snakepit.close();
