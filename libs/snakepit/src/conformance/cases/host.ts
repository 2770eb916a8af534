import type { ConformanceCase } from '../conformance-case.js';
import { describeOutcome } from '../bridge.js';
import { failure } from '../fake-host.js';
import { isCancelled, patternOf, same, upTo } from '../expectations.js';
import { check } from '../mismatch.js';
import { show } from '../show.js';

const SESSION = { meta: { session: 's-1' } };

export const host: readonly ConformanceCase[] = [
  {
    group: 'tools and messages',
    name: 'a tool gets its arguments, and the command what it returns',
    commands: ['call_tool'],
    run: async (bridge) => {
      bridge.host.tools.set('priceof', (args) => ({ price: 3, of: args }));
      const args = { name: 'price_of', args: { sku: 'a-1', data: patternOf(100), at: new Date(0), size: 2n ** 63n } };
      const got = await bridge.result('call_tool', args);
      same(got, { returned: { price: 3, of: args.args } });
    },
  },
  {
    group: 'tools and messages',
    name: 'a host call names the call on whose behalf it asks',
    commands: ['call_tool'],
    run: async (bridge) => {
      bridge.host.tools.set('whoasks', () => null);
      const call = bridge.wire.call({ command: 'call_tool', args: { name: 'who_asks', args: {} } });
      await bridge.outcome(call);
      const asked = bridge.host.asked.at(-1);
      check(asked?.call === call, `a host call for the call ${call.id}`, () => show(asked));
    },
  },
  {
    group: 'tools and messages',
    name: 'a tool that throws fails in the command, with code and message',
    commands: ['call_tool'],
    run: async (bridge) => {
      bridge.host.tools.set('soldout', () => {
        throw failure('REMOTE_ERROR', 'sold out', { type: 'ConflictException', data: { status: 409 } });
      });
      const got = await bridge.result('call_tool', { name: 'sold_out', args: {} });
      same(got, { failed: { code: 'REMOTE_ERROR', message: 'sold out' } });
    },
  },
  {
    group: 'tools and messages',
    name: 'a tool that does not exist fails in the command as UNKNOWN_TOOL',
    commands: ['call_tool'],
    run: async (bridge) => {
      const got = await bridge.result('call_tool', { name: 'no_such_tool', args: {} });
      const failed = (got as { failed?: { code?: unknown } } | null)?.failed;
      check(failed?.code === 'UNKNOWN_TOOL', '{ failed: { code: UNKNOWN_TOOL, … } }', () => show(got));
      await bridge.checkAlive();
    },
  },
  {
    group: 'tools and messages',
    name: 'several calls that ask at once each get their own answer',
    commands: ['call_tool'],
    run: async (bridge) => {
      bridge.host.tools.set('square', (args) => (args as { n: number }).n ** 2);
      const open = upTo(20).map((n) =>
        bridge.wire.call({ command: 'call_tool', args: { name: 'square', args: { n } } }),
      );
      for (const [n, call] of open.entries()) {
        const outcome = await bridge.outcome(call);
        same(outcome.kind === 'result' ? outcome.value : describeOutcome(outcome), { returned: n ** 2 });
      }
    },
  },
  {
    group: 'tools and messages',
    name: 'a call that is cancelled while a tool runs ends',
    commands: ['call_tool'],
    run: async (bridge) => {
      let refuse: (error: Error) => void = () => {};
      bridge.host.tools.set('forever', () => new Promise((_, reject) => (refuse = reject)));
      const call = bridge.wire.call({ command: 'call_tool', args: { name: 'forever', args: {} } });
      await bridge.until('the host call', () => bridge.host.asked.some((each) => each.call === call) || undefined);
      bridge.wire.cancel(call, 'caller');
      refuse(failure('CANCELLED', 'the call was cancelled'));
      const outcome = await bridge.outcome(call, 'the end of the cancelled call');
      if (outcome.kind !== 'result') return isCancelled(outcome);
      const { failed } = outcome.value as { failed?: { code?: unknown } };
      check(failed?.code === 'CANCELLED', 'CANCELLED', () => describeOutcome(outcome));
    },
  },
  {
    group: 'tools and messages',
    name: 'a message gets pattern and data, and the command what the handler returns',
    commands: ['send_message'],
    run: async (bridge) => {
      bridge.host.onMessage = (pattern, data) => ({ pattern, data });
      for (const pattern of ['order.placed', { cmd: 'sum', version: 2 }]) {
        const got = await bridge.result('send_message', { pattern, data: [1, 2] });
        same(got, { returned: { pattern, data: [1, 2] } });
      }
    },
  },
  {
    group: 'tools and messages',
    name: 'a message that nobody answers fails in the command as UNKNOWN_PATTERN',
    commands: ['send_message'],
    run: async (bridge) => {
      bridge.host.onMessage = undefined;
      const got = await bridge.result('send_message', { pattern: 'nobody', data: null });
      const failed = (got as { failed?: { code?: unknown } } | null)?.failed;
      check(failed?.code === 'UNKNOWN_PATTERN', '{ failed: { code: UNKNOWN_PATTERN, … } }', () => show(got));
    },
  },
  {
    group: 'sessions',
    name: 'what a command puts into its session is in the host',
    commands: ['session_put', 'session_get'],
    run: async (bridge) => {
      const value = { items: [1, 'two', null], total: 2.5 };
      await bridge.result('session_put', { key: 'cart', value }, SESSION);
      same(bridge.host.session('s-1').metadata.get('cart'), value);
      same(await bridge.result('session_get', { key: 'cart' }, SESSION), value);
    },
  },
  {
    group: 'sessions',
    name: 'what the host has put there is seen, and what is not there is null',
    commands: ['session_get'],
    run: async (bridge) => {
      bridge.host.session('s-1').metadata.set('given', [true]);
      same(await bridge.result('session_get', { key: 'given' }, SESSION), [true]);
      same(await bridge.result('session_get', { key: 'no such key' }, SESSION), null);
    },
  },
  {
    group: 'sessions',
    name: 'sessions do not see each other’s data',
    commands: ['session_get'],
    run: async (bridge) => {
      bridge.host.session('s-1').metadata.set('owner', 'one');
      bridge.host.session('s-2').metadata.set('owner', 'two');
      same(await bridge.result('session_get', { key: 'owner' }, { meta: { session: 's-2' } }), 'two');
      same(await bridge.result('session_get', { key: 'owner' }, SESSION), 'one');
    },
  },
  {
    group: 'sessions',
    name: 'a key is deleted, and the command learns whether there was one',
    commands: ['session_delete'],
    run: async (bridge) => {
      bridge.host.session('s-1').metadata.set('old', 1);
      same(await bridge.result('session_delete', { key: 'old' }, SESSION), true);
      same(await bridge.result('session_delete', { key: 'old' }, SESSION), false);
      same(bridge.host.session('s-1').metadata.has('old'), false);
    },
  },
  {
    group: 'sessions',
    name: 'keys are listed',
    commands: ['session_keys'],
    run: async (bridge) => {
      const { metadata } = bridge.host.session('s-keys');
      for (const key of ['b', 'a', 'ü']) metadata.set(key, 0);
      const keys = await bridge.result('session_keys', {}, { meta: { session: 's-keys' } });
      check(Array.isArray(keys), 'a list', () => show(keys));
      same(keys.toSorted(), ['a', 'b', 'ü']);
    },
  },
  {
    group: 'sessions',
    name: 'programs and globals are maps of their own',
    commands: ['program_put', 'global_put'],
    run: async (bridge) => {
      await bridge.result('program_put', { key: 'model', value: 'v7' }, SESSION);
      await bridge.result('global_put', { key: 'rate', value: 1.5 }, SESSION);
      same(bridge.host.session('s-1').programs.get('model'), 'v7');
      same(bridge.host.globals.metadata.get('rate'), 1.5);
    },
  },
  {
    group: 'sessions',
    name: 'the end of a session reaches its hook',
    commands: ['closed_sessions', 'session_get'],
    run: async (bridge) => {
      await bridge.result('session_get', { key: 'any' }, { meta: { session: 's-closing' } });
      bridge.wire.sessionClosed('s-closing');
      const until = Date.now() + 5_000;
      let closed: unknown;
      do closed = await bridge.result('closed_sessions', {});
      while (!(Array.isArray(closed) && closed.includes('s-closing')) && Date.now() < until);
      check(Array.isArray(closed) && closed.includes('s-closing'), "a list with 's-closing'", () => show(closed));
    },
  },
  {
    group: 'sessions',
    name: 'the end of a session that the worker never saw is ignored',
    run: async (bridge) => {
      bridge.wire.sessionClosed('s-never-seen');
      await bridge.checkAlive();
    },
  },
  {
    group: 'input',
    name: 'a command reads its input to the end',
    commands: ['read_input'],
    run: async (bridge) => {
      const input = patternOf(10_500);
      const sum = input.reduce((total, byte) => total + byte, 0);
      same(await bridge.result('read_input', { chunk_bytes: 1_000 }, { input }), { bytes: input.length, sum });
    },
  },
  {
    group: 'input',
    name: 'an empty input is at its end at once',
    commands: ['read_input'],
    run: async (bridge) => {
      const more = { input: Buffer.alloc(0) };
      same(await bridge.result('read_input', { chunk_bytes: 10 }, more), { bytes: 0, sum: 0 });
    },
  },
  {
    group: 'input',
    name: 'a command that is given none fails when it reads',
    commands: ['read_input'],
    run: async (bridge) => {
      await bridge.failure({ command: 'read_input', args: { chunk_bytes: 10 } });
      await bridge.checkAlive();
    },
  },
];
