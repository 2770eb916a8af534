import { describeOutcome } from '../bridge.js';
import type { ConformanceCase } from '../conformance-case.js';
import { isCancelled, same } from '../expectations.js';
import { check } from '../mismatch.js';
import type { OpenCall } from '../open-call.js';
import { show } from '../show.js';

const FOR_LONG = { ms: 60_000 };
const CLEANED_UP = 'conformance.stream_closed';

export const cancel: readonly ConformanceCase[] = [
  {
    group: 'cancel',
    name: 'a running call ends soon, as CANCELLED',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'sleep_ms', args: FOR_LONG });
      bridge.wire.cancel(call, 'caller');
      isCancelled(await bridge.outcome(call, 'the end of the cancelled call'));
      await bridge.checkAlive();
    },
  },
  {
    group: 'cancel',
    name: 'a call that has long been running ends too',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'sleep_ms', args: FOR_LONG });
      await bridge.silence('answers', () => call.history.length);
      bridge.wire.cancel(call, 'caller');
      const outcome = await bridge.outcome(call, 'the end of the cancelled call');
      isCancelled(outcome);
      const isStarted = outcome.kind !== 'error' || outcome.error.started !== false;
      check(isStarted, "an error whose 'started' is not false", () => show(outcome));
    },
  },
  {
    group: 'cancel',
    name: 'a call that waits behind another is answered once, and not begun if it says so',
    run: async (bridge) => {
      const before = bridge.wire.call({ command: 'block_ms', args: { ms: 200 } });
      const call = bridge.wire.call({ command: 'add', args: { a: 1, b: 2 } });
      bridge.wire.cancel(call, 'caller');
      await bridge.outcome(before);
      const outcome = await bridge.outcome(call, 'an answer to the cancelled call');
      if (outcome.kind === 'result') return same(outcome.value, 3);
      isCancelled(outcome);
      const isNotBegun = outcome.kind === 'error' && outcome.error.started === false;
      check(isNotBegun, 'an error with started: false', () => show(outcome));
    },
  },
  {
    group: 'cancel',
    name: 'a stream that flows ends, and sends nothing more',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'count_endlessly', stream: true });
      await bridge.until('the first chunk', () => call.chunks.length > 0 || undefined);
      bridge.wire.grant(call, 65_535);
      await bridge.until('some hundred chunks', () => call.chunks.length > 200 || undefined);
      bridge.wire.cancel(call, 'caller');
      isCancelled(await bridge.outcome(call, 'the end of the cancelled stream'));
      await bridge.checkAlive();
    },
  },
  {
    group: 'cancel',
    name: 'a stream that waits for credit ends',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'count_endlessly', stream: true });
      await bridge.until('the first chunks', () => call.chunks.length === call.granted || undefined);
      bridge.wire.cancel(call, 'caller');
      isCancelled(await bridge.outcome(call, 'the end of the cancelled stream'));
      await bridge.checkAlive();
    },
  },
  {
    group: 'cancel',
    name: "a cancelled stream's clean-up code runs",
    commands: ['emit_event'],
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'count_endlessly', stream: true });
      await bridge.until('the first chunks', () => call.chunks.length === call.granted || undefined);
      bridge.wire.cancel(call, 'caller');
      await bridge.outcome(call, 'the end of the cancelled stream');
      const { events } = bridge.wire.loose;
      const hasCome = (): boolean => [...call.events, ...events].some(({ name }) => name === CLEANED_UP);
      await bridge.until(`the event ${CLEANED_UP}`, () => hasCome() || undefined);
    },
  },
  {
    group: 'cancel',
    name: 'a call that is cancelled twice is answered once',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'sleep_ms', args: FOR_LONG });
      bridge.wire.cancel(call, 'caller');
      bridge.wire.cancel(call, 'deadline');
      await bridge.outcome(call, 'the end of the cancelled call');
      await bridge.checkAlive();
    },
  },
  {
    group: 'cancel',
    name: 'cancelling what has ended, or never was, is ignored',
    protocols: ['v2'],
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'add', args: { a: 1, b: 2 } });
      await bridge.outcome(call);
      bridge.wire.cancel(call, 'caller');
      bridge.frames.sendFrame(0x11, 0, 1, 0x00ff_ff00);
      await bridge.checkAlive();
    },
  },
  {
    group: 'deadlines',
    name: 'a call whose time is up ends soon',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'sleep_ms', args: FOR_LONG, deadlineMs: 200 });
      const timer = setTimeout(() => bridge.wire.cancel(call, 'deadline'), 200);
      const outcome = await bridge.outcome(call, 'the end of the call whose time is up');
      clearTimeout(timer);
      const isSo = outcome.kind === 'error' && ['CALL_TIMEOUT', 'CANCELLED'].includes(outcome.error.code);
      check(isSo, 'an error with the code CALL_TIMEOUT or CANCELLED', () => describeOutcome(outcome));
      await bridge.checkAlive();
    },
  },
  {
    group: 'deadlines',
    name: 'a call that is in time gives its result',
    run: async (bridge) => same(await bridge.result('add', { a: 1, b: 2 }, { deadlineMs: 60_000 }), 3),
  },
  {
    group: 'deadlines',
    name: 'deadline and meta of one call are told apart',
    run: async (bridge) => {
      const more = { deadlineMs: 60_000, meta: { session: 's-1' } };
      same(await bridge.result('add', { a: 1, b: 2 }, more), 3);
    },
  },
  {
    group: 'deadlines',
    name: 'a command sees how much time it has left',
    commands: ['deadline_ms'],
    run: async (bridge) => {
      const left = await bridge.result('deadline_ms', {}, { deadlineMs: 60_000 });
      const isSo = typeof left === 'number' && left > 30_000 && left <= 60_001;
      check(isSo, 'about 60000 milliseconds', () => show(left));
      same(await bridge.result('deadline_ms', {}), null, 'null without a deadline');
    },
  },
  {
    group: 'deadlines',
    name: 'a stream whose time is up ends',
    run: async (bridge) => {
      const call: OpenCall = bridge.wire.call({ command: 'count_endlessly', stream: true, deadlineMs: 200 });
      const timer = setTimeout(() => bridge.wire.cancel(call, 'deadline'), 200);
      const outcome = await bridge.outcome(call, 'the end of the stream whose time is up');
      clearTimeout(timer);
      const isSo = outcome.kind === 'end' || (outcome.kind === 'error' && outcome.error.code !== 'REMOTE_ERROR');
      check(isSo, 'CALL_TIMEOUT, CANCELLED or the end', () => describeOutcome(outcome));
      await bridge.checkAlive();
    },
  },
];
