import type { ConformanceCase } from '../conformance-case.js';
import { describeOutcome } from '../bridge.js';
import { hasCode, isMisfit, same, upTo } from '../expectations.js';
import { check } from '../mismatch.js';

const FAR_MORE = 300;

export const streams: readonly ConformanceCase[] = [
  {
    group: 'streams',
    name: 'a stream without values ends',
    run: async (bridge) => {
      const { chunks, outcome } = await bridge.stream('count', { n: 0 });
      same({ chunks, kind: outcome?.kind }, { chunks: [], kind: 'end' });
    },
  },
  {
    group: 'streams',
    name: 'values come in order, and then the end',
    run: async (bridge) => {
      const { chunks, outcome } = await bridge.stream('count', { n: FAR_MORE });
      same({ chunks, kind: outcome?.kind }, { chunks: upTo(FAR_MORE), kind: 'end' });
    },
  },
  {
    group: 'streams',
    name: 'a stream that fails gives its values first',
    run: async (bridge) => {
      const { chunks, outcome } = await bridge.stream('count_then_fail', { n: 3, message: 'out of numbers' });
      same(chunks, [0, 1, 2]);
      check(outcome?.kind === 'error', 'an error', () => describeOutcome(outcome!));
      hasCode(outcome.error, 'REMOTE_ERROR');
      same(outcome.error.message, 'out of numbers');
      await bridge.checkAlive();
    },
  },
  {
    group: 'streams',
    name: 'a stream that is called without STREAM is answered by INVALID_ARGUMENTS',
    run: async (bridge) => {
      hasCode(await bridge.failure({ command: 'count', args: { n: 1 } }), 'INVALID_ARGUMENTS');
      await bridge.checkAlive();
    },
  },
  {
    group: 'streams',
    name: 'a command that is called with STREAM gives its result as the only chunk',
    run: async (bridge) => {
      const { chunks, outcome } = await bridge.stream('add', { a: 1, b: 2 });
      same({ chunks, kind: outcome?.kind }, { chunks: [3], kind: 'end' });
    },
  },
  {
    group: 'streams',
    name: 'arguments that do not fit a stream are answered by INVALID_ARGUMENTS',
    run: async (bridge) =>
      await isMisfit(bridge, { command: 'count', args: { m: 1 }, stream: true }, ['INVALID_ARGUMENTS']),
  },
  {
    group: 'streams',
    name: 'several streams that are begun at once all give their own values',
    run: async (bridge) => {
      const sizes = [10, 20, 30];
      const open = sizes.map((n) => bridge.wire.call({ command: 'count', args: { n }, stream: true }));
      await Promise.all(open.map((call) => bridge.drain(call)));
      same(
        open.map((call) => call.chunks),
        sizes.map(upTo),
      );
    },
  },
  {
    group: 'credit',
    name: 'a stream stops where its credit ends, and goes on by as much as it is granted',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'count', args: { n: 20 }, stream: true });
      const { granted } = call;
      await bridge.until(`the first ${granted} chunks`, () => call.chunks.length === granted || undefined);
      await bridge.silence('chunks', () => call.chunks.length);
      bridge.wire.grant(call, 3);
      await bridge.until('3 chunks more', () => call.chunks.length === granted + 3 || undefined);
      await bridge.silence('chunks', () => call.chunks.length);
      await bridge.drain(call);
      same(call.chunks, upTo(20));
    },
  },
  {
    group: 'credit',
    name: 'grants add up',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'count', args: { n: 50 }, stream: true });
      await bridge.until('the first chunk', () => call.chunks.length > 0 || undefined);
      for (const chunks of [1, 2, 3]) bridge.wire.grant(call, chunks);
      const { granted } = call;
      await bridge.until(`${granted} chunks`, () => call.chunks.length === granted || undefined);
      await bridge.silence('chunks', () => call.chunks.length);
      bridge.wire.grant(call, 65_535);
      await bridge.outcome(call, 'the end of the stream');
      same(call.chunks, upTo(50));
    },
  },
  {
    group: 'credit',
    name: 'credit counts that comes while the stream still waits to begin',
    // Over gRPC it may overtake its stream, and hosts grant when chunks have come.
    protocols: ['v2'],
    run: async (bridge) => {
      const before = bridge.wire.call({ command: 'block_ms', args: { ms: 100 } });
      const call = bridge.wire.call({ command: 'count', args: { n: 9 }, stream: true });
      bridge.wire.grant(call, 6);
      await bridge.outcome(before);
      await bridge.until('all 9 chunks without further credit', () => call.chunks.length === 9 || undefined);
      same((await bridge.drain(call)).kind, 'end');
    },
  },
  {
    group: 'credit',
    name: 'credit for an id that is unknown is ignored',
    protocols: ['v2'],
    run: async (bridge) => {
      bridge.frames.sendFrame(0x12, 0, 5, 0x00ff_ff00);
      await bridge.checkAlive();
    },
  },
  {
    group: 'credit',
    name: 'a stream that waits for credit holds up no other call',
    commands: ['meet'],
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'count', args: { n: 20 }, stream: true });
      await bridge.until('the first chunks', () => call.chunks.length === call.granted || undefined);
      await bridge.checkAlive();
      await bridge.drain(call);
      same(call.chunks, upTo(20));
    },
  },
];
