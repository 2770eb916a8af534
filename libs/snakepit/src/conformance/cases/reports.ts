import type { EventBody } from '../../codec/index.js';
import { isPlainObject } from '../../core/index.js';
import type { Bridge } from '../bridge.js';
import type { ConformanceCase } from '../conformance-case.js';
import { same } from '../expectations.js';
import { check } from '../mismatch.js';
import type { OpenCall } from '../open-call.js';
import { show } from '../show.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const SAMPLED = { trace: { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` } };
const UNSAMPLED = { trace: { traceparent: `00-${TRACE_ID}-${PARENT_ID}-00` } };

export const reports: readonly ConformanceCase[] = [
  {
    group: 'heartbeats',
    name: 'pings are answered by their ids, in order',
    run: async (bridge) => {
      const { wire } = bridge;
      for (let turn = 0; turn < 3; turn += 1) {
        const id = wire.ping();
        await bridge.until('the pong', () => wire.pongs.includes(id) || undefined);
      }
    },
  },
  {
    group: 'heartbeats',
    name: 'a ping is answered while a command runs',
    unclaimed: ({ answersWhileBusy }) => (answersWhileBusy ? undefined : "the hello says 'answersWhileBusy: false'"),
    run: async (bridge) => {
      const { wire } = bridge;
      const call = wire.call({ command: 'block_ms', args: { ms: 700 } });
      await bridge.silence('answers', () => call.history.length);
      const id = wire.ping();
      await bridge.until('the pong', () => wire.pongs.includes(id) || undefined);
      check(call.outcome === undefined, 'the pong before the result', () => 'the result first');
      await bridge.outcome(call);
    },
  },
  {
    group: 'context',
    name: 'session, trace and context values reach the command',
    commands: ['context'],
    run: async (bridge) => {
      const context = { tenant: 'acme', user: 'Zoë' };
      const got = await bridge.result('context', {}, { meta: { session: 's-1', ...UNSAMPLED, context } });
      check(isPlainObject(got), 'a map', () => show(got));
      const { traceparent } = (got['trace'] ?? {}) as { traceparent?: unknown };
      const wanted = { session: 's-1', traceparent: UNSAMPLED.trace.traceparent, context };
      same({ session: got['session'], traceparent, context: got['context'] }, wanted);
    },
  },
  {
    group: 'context',
    name: 'without them there is none',
    commands: ['context'],
    run: async (bridge) => same(await bridge.result('context', {}), { session: null, trace: null, context: {} }),
  },
  {
    group: 'progress, logs, events',
    name: 'progress comes in order, before the result',
    commands: ['progress'],
    run: async (bridge) => {
      const values = [1, 'two', { rows: [3] }, null];
      const call = bridge.wire.call({ command: 'progress', args: { values } });
      const outcome = await bridge.outcome(call);
      same(call.progress, values);
      same(outcome.kind === 'result' ? outcome.value : outcome, values.length);
    },
  },
  ...['debug', 'info', 'warn', 'error'].map((level): ConformanceCase => ({
    group: 'progress, logs, events',
    name: `a log record of level ${level} names its call`,
    commands: ['log_record'],
    run: async (bridge) => {
      const message = `a record: ${level} Grüße`;
      const call = bridge.wire.call({ command: 'log_record', args: { level, message, fields: { order: '17' } } });
      await bridge.outcome(call);
      const { logs } = bridge.wire.loose;
      const find = () => [...call.logs, ...logs].find((record) => record.message === message);
      const record = await bridge.until('the log record', find);
      same({ level: record.level, order: record.fields?.['order'] }, { level, order: '17' });
      check(call.logs.includes(record), 'a record with the id of its call', () => 'one with the id 0');
    },
  })),
  {
    group: 'progress, logs, events',
    name: 'an event comes with its data',
    commands: ['emit_event'],
    run: async (bridge) => {
      const data = { key: 'a', hits: [1, 2] };
      const event = await eventOf(bridge, 'emit_event', { name: 'cache.miss', data }, 'cache.miss');
      same(event.data, data);
    },
  },
  {
    group: 'progress, logs, events',
    name: 'what a command measured is told before its answer',
    commands: ['measure'],
    run: async (bridge) => {
      const args = { name: 'conformance_rows', amount: 3 };
      const { data } = await eventOf(bridge, 'measure', args, 'snakepit.metrics');
      same(data, [['count', 'conformance_rows', { table: 'orders' }, 3]]);
    },
  },
  {
    group: 'progress, logs, events',
    name: 'spans of a sampled call hang below its traceparent',
    commands: ['span'],
    run: async (bridge) => {
      const { data } = await eventOf(bridge, 'span', { name: 'parse rows' }, 'snakepit.spans', SAMPLED);
      const spans = ((data as { spans?: unknown } | null)?.spans ?? []) as ReadonlyArray<Record<string, unknown>>;
      const inner = spans.find(({ name }) => name === 'parse rows');
      const root = spans.find(({ parentId }) => parentId === PARENT_ID);
      check(inner !== undefined && root !== undefined, "the span 'parse rows', and one below the traceparent's", () => {
        return show(data);
      });
      same(new Set(spans.map(({ traceId }) => traceId)), new Set([TRACE_ID]));
      const isTimed = spans.every(
        ({ start, end }) => typeof start === 'number' && typeof end === 'number' && start <= end,
      );
      check(isTimed, 'spans with start and end in microseconds', () => show(spans));
    },
  },
  {
    group: 'progress, logs, events',
    name: 'a call that is not sampled records no spans',
    commands: ['span'],
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'span', args: { name: 'parse rows' }, meta: UNSAMPLED });
      await bridge.outcome(call);
      same(call.events, []);
    },
  },
];

/** The first event of this name that a command sends, which must come before its answer. */
async function eventOf(
  bridge: Bridge,
  command: string,
  args: unknown,
  name: string,
  meta?: Readonly<Record<string, unknown>>,
): Promise<EventBody> {
  const earlier = bridge.wire.loose.events.length;
  const call: OpenCall = bridge.wire.call({ command, args, ...(meta && { meta }) });
  await bridge.outcome(call);
  const events = [...call.events, ...bridge.wire.loose.events.slice(earlier)];
  const event = events.find((each) => each.name === name);
  check(event !== undefined, `the event ${name} before the answer`, () => `events ${show(events.map((e) => e.name))}`);
  return event;
}
