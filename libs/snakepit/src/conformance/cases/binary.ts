import type { ConformanceCase } from '../conformance-case.js';
import { errorOf } from '../bridge.js';
import { hasCode, patternOf, same, upTo } from '../expectations.js';
import { check } from '../mismatch.js';
import { show } from '../show.js';

const LARGE = 300_000;
const OVER_THE_LIMIT = 2_000_000;

export const binary: readonly ConformanceCase[] = [
  ...[0, 1, 1_000, LARGE].map((n): ConformanceCase => ({
    group: 'binary',
    name: `binary of ${n} bytes comes as it is`,
    commands: ['make_bytes'],
    run: async (bridge) => same(await bridge.result('make_bytes', { n }), patternOf(n), `the pattern of ${n} bytes`),
  })),
  {
    group: 'binary',
    name: 'binary goes as it is',
    commands: ['sum_bytes'],
    run: async (bridge) => {
      for (const data of [Buffer.alloc(0), Buffer.from(upTo(256)), patternOf(LARGE)]) {
        same(
          await bridge.result('sum_bytes', { data }),
          data.reduce((sum, byte) => sum + byte, 0),
        );
      }
    },
  },
  {
    group: 'binary',
    name: 'large binary goes and comes',
    run: async (bridge) => {
      const value = patternOf(LARGE);
      same(await bridge.result('echo', { value }), value, `the pattern of ${LARGE} bytes`);
    },
  },
  {
    group: 'binary',
    name: 'streams carry binary',
    commands: ['stream_bytes'],
    run: async (bridge) => {
      const { chunks } = await bridge.stream('stream_bytes', { n: 50_000, times: 6 });
      same(chunks, Array(6).fill(patternOf(50_000)), 'six times the pattern of 50000 bytes');
    },
  },
  {
    group: 'batches',
    name: 'a batch is answered item by item, and one failure is that of its call alone',
    commands: ['batch_double'],
    unclaimed: ({ batches }) => (batches ? undefined : "the hello does not say 'batches'"),
    run: async (bridge) => {
      const args = [{ n: 1 }, { n: -1 }, { n: 3 }];
      const got = await bridge.result('batch_double', args, { meta: { batch: true } });
      check(Array.isArray(got) && got.length === 2, '[results, errors]', () => show(got));
      const [results, failures] = got as [unknown, unknown];
      same([(results as unknown[])[0], (results as unknown[])[2]], [2, 6]);
      const [position, error] = (failures as [number, { code: string; message: string }][])[0] ?? [];
      same([position, error?.code, error?.message], [1, 'REMOTE_ERROR', 'negative']);
    },
  },
  {
    group: 'batches',
    name: 'a command that is batched answers a single call',
    commands: ['batch_double'],
    unclaimed: ({ batches }) => (batches ? undefined : "the hello does not say 'batches'"),
    run: async (bridge) => {
      same(await bridge.result('batch_double', { n: 4 }), 8);
      const error = await bridge.failure({ command: 'batch_double', args: { n: -4 } });
      same([error.code, error.message], ['REMOTE_ERROR', 'negative']);
    },
  },
  {
    group: 'limits',
    name: 'a result that just fits a frame comes',
    run: async (bridge) => {
      const times = bridge.settings.maxFrameBytes - 16;
      same(await bridge.result('repeat_text', { text: 'x', times }), 'x'.repeat(times), `${times} times x`);
    },
  },
  {
    group: 'limits',
    name: 'a result that exceeds a frame is answered by FRAME_TOO_LARGE',
    run: async (bridge) => {
      const args = { text: 'x'.repeat(1_000), times: OVER_THE_LIMIT / 1_000 };
      hasCode(await bridge.failure({ command: 'repeat_text', args }), 'FRAME_TOO_LARGE');
      await bridge.checkAlive();
    },
  },
  {
    group: 'limits',
    name: 'a chunk that exceeds a frame ends its stream by FRAME_TOO_LARGE',
    commands: ['stream_bytes'],
    run: async (bridge) => {
      const { outcome } = await bridge.stream('stream_bytes', { n: OVER_THE_LIMIT, times: 2 });
      hasCode(errorOf(outcome!), 'FRAME_TOO_LARGE');
      await bridge.checkAlive();
    },
  },
  {
    group: 'limits',
    name: 'a result as deep as may be comes',
    run: async (bridge) => {
      const depth = bridge.settings.maxDepth;
      let got = await bridge.result('nest', { depth });
      for (let level = 0; level < depth; level += 1) got = Array.isArray(got) ? got[0] : 'no list';
      same(got, 0);
    },
  },
  ...[1, 2_000].map((beyond): ConformanceCase => ({
    group: 'limits',
    name: `a result that is ${beyond} deeper than may be is answered by INVALID_RESULT`,
    run: async (bridge) => {
      const depth = bridge.settings.maxDepth + beyond;
      hasCode(await bridge.failure({ command: 'nest', args: { depth } }), 'INVALID_RESULT');
      await bridge.checkAlive();
    },
  })),
];
