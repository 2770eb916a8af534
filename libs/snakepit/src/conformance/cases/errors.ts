import type { ConformanceCase } from '../conformance-case.js';
import { NotClaimed } from '../conformance-case.js';
import { hasCode, same, upTo } from '../expectations.js';
import { check } from '../mismatch.js';
import { show } from '../show.js';
import { describeOutcome } from '../bridge.js';

const MESSAGES = {
  plain: 'month must be in 1..12',
  empty: '',
  'of several lines': 'first line\n  second line\n',
  'with characters of all lengths': 'Grüße, 日本語 🐍 "quoted" \\ and 100%',
  long: 'x'.repeat(100_000),
};

export const errors: readonly ConformanceCase[] = [
  ...Object.entries(MESSAGES).map(([what, message]): ConformanceCase => ({
    group: 'errors',
    name: `a message that is ${what} arrives as it was raised`,
    run: async (bridge) => {
      const error = await bridge.failure({ command: 'fail_with', args: { message } });
      hasCode(error, 'REMOTE_ERROR');
      same(error.message, message);
      check(error.started !== false, "an error whose 'started' is not false", () => show(error));
      await bridge.checkAlive();
    },
  })),
  {
    group: 'errors',
    name: "a REMOTE_ERROR names the error's class",
    run: async (bridge) => {
      const { type } = await bridge.failure({ command: 'fail_with', args: { message: 'no' } });
      check(typeof type === 'string' && type !== '', "a text in 'type'", () => show(type));
    },
  },
  {
    group: 'errors',
    name: 'a REMOTE_ERROR has a traceback',
    run: async (bridge) => {
      const { traceback } = await bridge.failure({ command: 'fail_with', args: { message: 'no' } });
      if (traceback === undefined || traceback === '') throw new NotClaimed('its errors have no traceback');
      check(/\bfail_?with\b/iu.test(traceback), 'a traceback that names fail_with', () => show(traceback));
    },
  },
  {
    group: 'errors',
    name: "an error's data arrives",
    commands: ['fail_with_data'],
    run: async (bridge) => {
      const data = { month: 13, allowed: [1, 12], note: 'Grüße' };
      const error = await bridge.failure({ command: 'fail_with_data', args: { message: 'bad', data } });
      hasCode(error, 'REMOTE_ERROR');
      same({ message: error.message, data: error.data }, { message: 'bad', data });
    },
  },
  {
    group: 'errors',
    name: '50 failures in a row leave the worker as it was',
    run: async (bridge) => {
      const open = upTo(50).map((n) => bridge.wire.call({ command: 'fail_with', args: { message: `failure ${n}` } }));
      for (const [index, call] of open.entries()) {
        const outcome = await bridge.outcome(call);
        const text = outcome.kind === 'error' ? outcome.error.message : describeOutcome(outcome);
        same(text, `failure ${index}`);
      }
      await bridge.checkAlive();
    },
  },
  {
    group: 'errors',
    name: 'an error that finds no room in a frame is told all the same',
    run: async (bridge) => {
      // Alone it would fit; with the traceback it does not.
      const message = 'y'.repeat(Math.floor(bridge.settings.maxFrameBytes * 0.9));
      await bridge.failure({ command: 'fail_with', args: { message } });
      await bridge.checkAlive();
    },
  },
];
