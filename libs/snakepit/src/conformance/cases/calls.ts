import type { BridgeProtocol } from '../bridge-program.js';
import type { ConformanceCase } from '../conformance-case.js';
import { hasCode, isMisfit, same, upTo } from '../expectations.js';
import { check } from '../mismatch.js';
import { show } from '../show.js';

const ALL: readonly BridgeProtocol[] = ['v1', 'v2', 'grpc'];
/** Enough for several turns of any loop, and more than a recommended flush. */
const MANY = 200;

export const calls: readonly ConformanceCase[] = [
  {
    group: 'calls',
    name: 'a map becomes named arguments',
    protocols: ALL,
    run: async (bridge) => same(await bridge.result('add', { a: 40, b: 2 }), 42),
  },
  {
    group: 'calls',
    name: 'the order of a map has no meaning',
    protocols: ALL,
    run: async (bridge) => same(await bridge.result('add', { b: -5, a: 3 }), -2),
  },
  {
    group: 'calls',
    name: 'a list becomes positional arguments',
    run: async (bridge) => same(await bridge.result('add', [40, 2]), 42),
  },
  {
    group: 'calls',
    name: 'a scalar becomes the only argument',
    run: async (bridge) => same(await bridge.result('echo', 'alone'), 'alone'),
  },
  {
    group: 'calls',
    name: 'an empty body, an empty map and an empty list are no arguments',
    commands: ['deadline_ms'],
    protocols: ['v2'],
    run: async (bridge) => {
      const body = { bytes: Buffer.alloc(0), tagged: false };
      same(await bridge.result('deadline_ms', undefined, { body }), null);
      same(await bridge.result('deadline_ms', null), null);
      same(await bridge.result('deadline_ms', {}), null);
      same(await bridge.result('deadline_ms', []), null);
    },
  },
  {
    group: 'calls',
    name: 'a command is found by the name in the meta',
    protocols: ['v2'],
    run: async (bridge) => same(await bridge.result('add', { a: 1, b: 2 }, { isNamed: true }), 3),
  },
  {
    group: 'calls',
    name: 'members of the meta that are unknown are ignored',
    protocols: ['v2'],
    run: async (bridge) => same(await bridge.result('add', { a: 1, b: 2 }, { meta: { colour: { red: 1 } } }), 3),
  },
  {
    group: 'calls',
    name: 'any id of 32 bits comes back',
    protocols: ['v2'],
    run: async (bridge) => {
      for (const id of [0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
        same(await bridge.result('add', { a: id, b: 0 }, { id }), id);
      }
    },
  },
  {
    group: 'calls',
    name: 'the service time of a command is told in microseconds',
    run: async (bridge) => {
      const outcome = await bridge.outcome(bridge.wire.call({ command: 'block_ms', args: { ms: 20 } }));
      check(outcome.serviceUs >= 15_000, 'a service time of 20000 or so', () => String(outcome.serviceUs));
    },
  },
  ...Object.entries({ missing: { a: 1 }, unknown: { a: 1, b: 2, c: 3 } }).map(([what, args]): ConformanceCase => ({
    group: 'calls',
    name: `an argument that is ${what} is answered by INVALID_ARGUMENTS`,
    run: async (bridge) => {
      await isMisfit(bridge, { command: 'add', args }, ['INVALID_ARGUMENTS']);
      await bridge.checkAlive();
    },
  })),
  {
    group: 'calls',
    name: 'an argument of a wrong type is answered by an error',
    run: async (bridge) => {
      await isMisfit(bridge, { command: 'add', args: { a: 1, b: 'two' } }, ['INVALID_ARGUMENTS', 'REMOTE_ERROR']);
      await bridge.checkAlive();
    },
  },
  {
    group: 'unknown commands',
    name: 'a name that is not listed is answered by UNKNOWN_COMMAND',
    protocols: ['v2'],
    run: async (bridge) => {
      hasCode(await bridge.failure({ command: 'no_such_command', isNamed: true }), 'UNKNOWN_COMMAND');
      await bridge.checkAlive();
    },
  },
  {
    group: 'unknown commands',
    name: 'an index behind the manifest is answered by UNKNOWN_COMMAND',
    protocols: ['v2'],
    run: async (bridge) => {
      const command = bridge.manifest.commands?.length ?? 0;
      hasCode(await bridge.failure({ command }), 'UNKNOWN_COMMAND');
      hasCode(await bridge.failure({ command: 65_534 }), 'UNKNOWN_COMMAND');
      await bridge.checkAlive();
    },
  },
  {
    group: 'unknown commands',
    name: 'neither is what a language brings along a command',
    protocols: ['v2'],
    run: async (bridge) => {
      for (const command of ['__class__', 'constructor', 'toString', 'system', 'eval', 'exit', '']) {
        hasCode(await bridge.failure({ command, isNamed: true }), 'UNKNOWN_COMMAND');
      }
    },
  },
  {
    group: 'several at once',
    name: `${MANY} calls that are sent at once are all answered, each by its own result`,
    protocols: ['v2', 'grpc'],
    run: async (bridge) => {
      const open = upTo(MANY).map((a) => bridge.wire.call({ command: 'add', args: { a, b: 1000 } }));
      for (const [index, call] of open.entries()) {
        const outcome = await bridge.outcome(call, `an answer to call ${index} of ${MANY}`);
        same(outcome.kind === 'result' ? outcome.value : outcome, 1000 + index);
      }
    },
  },
  {
    group: 'several at once',
    name: 'frames that come byte by byte are understood',
    protocols: ['v2'],
    run: async (bridge) => {
      const { frames } = bridge;
      const open = upTo(3).map((a) => frames.expect({ command: 'add', args: { a, b: 1 } }));
      const bytes = Buffer.concat(open.map((call) => frames.encodeCall(call)));
      for (const byte of bytes) {
        frames.send(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const [index, call] of open.entries()) {
        const outcome = await bridge.outcome(call);
        same(outcome.kind === 'result' ? outcome.value : outcome, index + 1);
      }
    },
  },
  {
    group: 'several at once',
    name: 'a frame and a half that come together are understood',
    protocols: ['v2'],
    run: async (bridge) => {
      const { frames } = bridge;
      const [first, second] = upTo(2).map((a) => frames.expect({ command: 'add', args: { a, b: 1 } }));
      const bytes = Buffer.concat([frames.encodeCall(first!), frames.encodeCall(second!)]);
      frames.send(bytes.subarray(0, -3));
      same((await bridge.outcome(first!)).kind, 'result');
      frames.send(bytes.subarray(-3));
      same((await bridge.outcome(second!)).kind, 'result');
    },
  },
  {
    group: 'several at once',
    name: 'two asynchronous calls run side by side',
    commands: ['meet'],
    run: async (bridge) => {
      const both = upTo(2).map(() => bridge.wire.call({ command: 'meet', args: { name: 'bridge' } }));
      for (const call of both) {
        const outcome = await bridge.outcome(call, 'two calls of meet that meet');
        same(outcome.kind === 'result' ? outcome.value : outcome, 'bridge');
      }
    },
  },
  {
    group: 'several at once',
    name: 'nothing of a call is kept for the next',
    protocols: ALL,
    run: async (bridge) => {
      const value = { list: [1, { deep: 'x' }] };
      same(await bridge.result('echo', { value }), value);
      same(await bridge.result('echo', { value: null }), null);
      same(await bridge.result('echo', { value: [] }), []);
      check(bridge.violation === undefined, 'no breach of the protocol', () => show(bridge.violation));
    },
  },
];
