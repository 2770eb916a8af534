import { grpc } from 'nestjs-snakepit/core';

import { PlainGrpcClient } from '../peers/grpc-client.mjs';
import { startGrpcServer } from '../peers/grpc-server.mjs';
import { ClosedLoop, timeEach } from '../support/load.mjs';
import { LARGE_COMMANDS, openPool, pythonAdapter } from '../support/pools.mjs';
import { noise } from '../support/random.mjs';
import { alternate, compareLoads } from '../support/rounds.mjs';
import { median } from '../support/statistics.mjs';
import { formatNumber, formatRate } from '../support/table.mjs';

const IN_FLIGHT = 64;
/** The library's default over gRPC. */
const STREAM_CREDIT = 256;
const LARGE_BYTES = 16 * 2 ** 20;
/** Of large ones, in a round. */
const CALLS = 8;

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  async grpc_raw_x(bench) {
    const { pool, plain } = await bothTo(bench);
    const { ratios, a, b } = await compareLoads(
      bench,
      new ClosedLoop(pool.add, IN_FLIGHT),
      new ClosedLoop(() => plain.execute('add', { a: 1, b: 2 }), IN_FLIGHT),
    );
    return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
  },

  async grpc_stream_raw_x(bench) {
    const { pool, plain } = await bothTo(bench);
    await plain.attach(STREAM_CREDIT);
    const chunks = bench.settings.isQuick ? 10_000 : 100_000;
    const ours = () => chunksPerSecond(chunks, () => countChunks(pool.stream('count_up', { limit: chunks })));
    const theirs = () => chunksPerSecond(chunks, () => plain.count('count_up', { limit: chunks }));
    for (const stream of [ours, theirs]) await stream();
    const { ratios, a, b } = await alternate(bench, { a: ours, b: theirs });
    return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
  },

  async v2_over_grpc_x(bench) {
    const direct = await bench.pool({ size: 1 });
    const overGrpc = await bench.use(openPool({ size: 1, adapter: pythonAdapter({ transport: 'grpc' }) }));
    const { ratios, a, b } = await compareLoads(
      bench,
      new ClosedLoop(direct.add, IN_FLIGHT),
      new ClosedLoop(overGrpc.add, IN_FLIGHT),
    );
    return { samples: ratios, detail: `${formatRate(a)} ÷ ${formatRate(b)}` };
  },

  async grpc_16mb_x(bench) {
    const { pool, plain } = await bothTo(bench, LARGE_COMMANDS);
    const data = noise(LARGE_BYTES);
    const ours = () => pool.execute('echo', { data });
    const theirs = () => plain.echo('echo', data);
    for (const echo of [ours, theirs]) {
      if (!data.equals(await echo())) throw new Error('16 MB came back changed');
    }
    const duration = async (echo) => median(await timeEach(echo, CALLS));
    const { ratios, a, b } = await alternate(bench, { a: () => duration(theirs), b: () => duration(ours) });
    return { samples: ratios, detail: `${formatNumber(a)} ms ÷ ${formatNumber(b)} ms` };
  },
};

/** A pool of one connection, and a plain client, to the same server. */
async function bothTo(bench, module) {
  const server = await bench.use(startGrpcServer(module));
  const pool = await bench.use(openPool({ size: 1, adapter: grpc({ address: server.address, token: server.token }) }));
  const plain = await bench.use(new PlainGrpcClient(server));
  return { pool, plain };
}

async function chunksPerSecond(chunks, stream) {
  const began = performance.now();
  const received = await stream();
  if (received !== chunks) throw new Error(`${received} of ${chunks} chunks arrived`);
  return (chunks / (performance.now() - began)) * 1_000;
}

function countChunks(stream) {
  let received = 0;
  return new Promise((resolve, reject) => {
    stream.subscribe({ next: () => (received += 1), complete: () => resolve(received), error: reject });
  });
}
