import { NotClaimed, type ConformanceCase } from '../conformance-case.js';
import type { Bridge } from '../bridge.js';
import { patternOf, same } from '../expectations.js';
import { check } from '../mismatch.js';
import { show } from '../show.js';

const V1 = ['v1'] as const;

/** What v1 has of its own; beside these, the cases of calls and values that name it. */
export const stdio: readonly ConformanceCase[] = [
  {
    group: 'handshake',
    name: 'the negotiation is answered by a selection',
    protocols: V1,
    run: async ({ stdio: wire, settings }) => {
      if (settings.codecs.length < 2) throw new NotClaimed('the codec was given, and so not negotiated');
      const isSelection = wire.negotiated === 'json' || wire.negotiated === 'msgpack';
      if (!isSelection) throw new NotClaimed('it answers the negotiation otherwise, and so speaks JSON');
    },
  },
  {
    group: 'heartbeats',
    name: 'ping is answered',
    protocols: V1,
    run: async (bridge) => {
      const id = bridge.wire.ping();
      await bridge.until('the answer to ping', () => bridge.wire.pongs.includes(id) || undefined);
    },
  },
  {
    group: 'calls',
    name: 'a reply has a timestamp',
    protocols: V1,
    run: async (bridge) => {
      await bridge.checkAlive();
      const { timestamp } = bridge.stdio.lastReply;
      const isTime = typeof timestamp === 'string' || typeof timestamp === 'number';
      check(isTime, "a text or a number in 'timestamp'", () => show(timestamp));
    },
  },
  {
    group: 'calls',
    name: 'a request that comes byte by byte is understood',
    protocols: V1,
    run: async (bridge) => {
      const call = bridge.stdio.expect({ command: 'add', args: { a: 1, b: 2 } });
      for (const byte of bridge.stdio.encodeCall(call)) {
        bridge.stdio.send(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const outcome = await bridge.outcome(call);
      same(outcome.kind === 'result' ? outcome.value : outcome, 3);
    },
  },
  {
    group: 'calls',
    name: 'a large request and a large reply arrive',
    protocols: V1,
    run: async (bridge) => {
      const value = 'ü'.repeat(200_000);
      same(await bridge.result('echo', { value }), value, '200000 times ü');
      same(await bridge.result('repeat_text', { text: 'ab', times: 100_000 }), 'ab'.repeat(100_000));
    },
  },
  {
    group: 'errors',
    name: 'a command that raises is answered by its message, and the next one by its result',
    protocols: V1,
    run: async (bridge) => {
      const error = await bridge.failure({ command: 'fail_with', args: { message: 'month must be in 1..12' } });
      check(error.message.includes('month must be in 1..12'), 'the message that was raised', () => show(error));
      await bridge.checkAlive();
    },
  },
  {
    group: 'errors',
    name: 'error_details tell class and code',
    protocols: V1,
    run: async (bridge) => {
      await bridge.failure({ command: 'fail_with', args: { message: 'no' } });
      const { error_details: details } = bridge.stdio.lastReply;
      if (details === undefined) throw new NotClaimed('its errors have no error_details');
      const { code, type, message } = details as Record<string, unknown>;
      same({ code, message, type: typeof type }, { code: 'REMOTE_ERROR', message: 'no', type: 'string' });
    },
  },
  {
    group: 'unknown commands',
    name: 'a command that it does not know is answered by an error',
    protocols: V1,
    run: async (bridge) => {
      await bridge.failure({ command: 'no_such_command', args: {} });
      await bridge.checkAlive();
    },
  },
  {
    group: 'binary',
    name: 'binary goes and comes',
    protocols: V1,
    unclaimed: ({ codec }) => (codec === 'json' ? 'v1 has no binary in JSON' : undefined),
    run: async (bridge) => {
      const value = patternOf(1_000);
      same(await bridge.result('echo', { value }), value);
    },
  },
  {
    group: 'output',
    name: 'what a command prints disturbs nothing',
    protocols: V1,
    run: async (bridge) => {
      await optional(bridge, 'print_text', { text: 'a stray line' });
      const { stderr } = bridge.process.lines;
      await bridge.until('the line on stderr', () => stderr.includes('a stray line') || undefined);
      await bridge.checkAlive();
    },
  },
  {
    group: 'shutdown',
    name: 'the end of stdin ends the process',
    protocols: V1,
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      await bridge.checkAlive();
      bridge.wire.close();
      await bridge.exited('the end of the process');
    },
  },
  {
    group: 'shutdown',
    name: 'SIGTERM ends the process',
    protocols: V1,
    kind: 'own',
    run: async (stage) => {
      const bridge = await stage.open();
      bridge.process.signal('SIGTERM');
      await bridge.exited('the end of the process');
    },
  },
];

/** A command that v1 bridges may have. @throws NotClaimed when it answers that there is none */
async function optional(bridge: Bridge, command: string, args: unknown): Promise<unknown> {
  const outcome = await bridge.outcome(bridge.wire.call({ command, args }));
  if (outcome.kind === 'result') return outcome.value;
  const { code, message } = outcome.kind === 'error' ? outcome.error : { code: '', message: '' };
  if (code === 'UNKNOWN_COMMAND' || /unknown command/iu.test(message)) throw new NotClaimed(`it has no ${command}`);
  check(false, `a result of ${command}`, () => message);
}
