import { node, python, type PoolOptions } from 'nestjs-snakepit/core';
import { lastValueFrom, toArray } from 'rxjs';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { ChattyPool } from '../../support/chatty-pool.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const trace = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };
const SAID = { trace, context: { requestId: 'r-17' } };

const PYTHON = 'test/fixtures/logs/chatty.py';
const NODE = 'test/fixtures/logs/chatty.js';

const WORKERS: Record<string, () => PoolOptions> = {
  'Python on a descriptor': () => ({ adapter: python({ module: PYTHON }) }),
  'Python from a zygote': () => ({ adapter: python({ module: PYTHON, zygote: true }) }),
  'Python over gRPC': () => ({
    adapter: python({ module: PYTHON, transport: 'grpc' }),
    env: { PYTHONPATH: inject('pythonPackages') },
  }),
  'Node on a descriptor': () => ({ adapter: node({ module: NODE }) }),
  'Node over gRPC': () => ({ adapter: node({ module: NODE, transport: 'grpc' }) }),
};

const chatty = new ChattyPool();

afterEach(() => chatty.close());

describe.each(Object.keys(WORKERS))('what workers log, %s', (name) => {
  const isPython = name.startsWith('Python');
  const open = () => chatty.open(WORKERS[name]!());

  it('names the worker, the logger, and the call with its trace and context', async () => {
    const pool = await open();
    const id = await pool.execute<number>('log_with_context', { message: 'loaded' }, SAID);
    const record = await chatty.record(`loaded ${id}`);
    expect(record).toMatchObject({
      level: 'warn',
      message: `loaded ${id}`,
      logger: isPython ? 'app.models' : 'console',
      pool: 'work',
      worker: pool.workers()[0]!.id,
      call: { id, command: 'log_with_context', traceId: TRACE_ID, context: { requestId: 'r-17' } },
    });
  });

  it('knows the call of a plain command too, of a stream, and of an asynchronous one after it has waited', async () => {
    const pool = await open();
    await pool.execute('log_plain', { message: 'plainly' }, SAID);
    expect((await chatty.record('plainly')).call).toMatchObject({ command: 'log_plain', traceId: TRACE_ID });
    expect(await lastValueFrom(pool.stream('log_in_stream', { message: 'item' }, SAID).pipe(toArray()))).toEqual([
      0, 1,
    ]);
    expect((await chatty.record('item 1')).call).toMatchObject({ command: 'log_in_stream', traceId: TRACE_ID });
    await Promise.all([
      pool.execute('log_later', { message: 'one' }, { context: { requestId: 'r-1' } }),
      pool.execute('log_later', { message: 'two' }, { context: { requestId: 'r-2' } }),
    ]);
    for (const [text, requestId] of [
      ['one', 'r-1'],
      ['two', 'r-2'],
    ] as const) {
      expect((await chatty.record(text)).call?.context).toEqual({ requestId });
      if (!isPython) continue;
      expect((await chatty.record(`${text} in a thread`)).call?.context).toEqual({ requestId });
    }
  });

  it('is one record with the traceback apart, however many lines it has', async () => {
    const pool = await open();
    await pool.execute('log_exception');
    const { level, message, fields } = await chatty.record('it is\nmissing');
    expect(level).toBe('error');
    const exception = String(fields?.['exception']);
    expect(exception).toMatch(isPython ? /^Traceback .*\n[^]*KeyError: 'missing'$/ : /^RangeError: no such key\n +at /);
    expect(message).toBe(isPython ? 'it is\nmissing' : 'it is\nmissing: RangeError: no such key');
    await pool.execute('shout', { message: 'afterwards' });
    await chatty.record('afterwards');
    expect(chatty.logs.filter((record) => /Traceback|RangeError|^ +at /.test(record.message))).toHaveLength(
      isPython ? 0 : 1,
    );
  });

  it('brings warnings, each as one record', async () => {
    const pool = await open();
    await pool.execute('warn');
    const record = await chatty.record('old\nand worn');
    expect(record).toMatchObject({ level: 'warn', logger: isPython ? 'py.warnings' : 'process.warning' });
    expect(record.fields).toMatchObject(isPython ? { category: 'UserWarning' } : { code: 'OLD' });
  });

  it('says what the worker ended by, as one record', async () => {
    const pool = await open();
    await expect(pool.execute('end_by_exception')).rejects.toMatchObject({ code: 'WORKER_EXITED' });
    const record = await chatty.record('the worker ends');
    expect(record).toMatchObject({
      level: 'fatal',
      message: expect.stringContaining(
        isPython ? 'KeyboardInterrupt: somebody pressed' : 'TypeError: thrown in',
      ) as string,
      fields: { exception: expect.stringMatching(/\n/) as string },
    });
    expect(chatty.logs.filter(({ message }) => /^(Traceback| +at | +File )/.test(message))).toEqual([]);
  });

  it('is dropped and counted where there is a flood of it, and the worker goes on', async () => {
    const pool = await open();
    expect(await pool.execute('flood', { count: 5_000 })).toBe(5_000);
    const notice = await chatty.record('log records were dropped');
    const arrived = chatty.logs.filter(({ message }) => message.startsWith('record ')).length;
    expect(notice.level).toBe('warn');
    expect(arrived).toBeGreaterThanOrEqual(1_000);
    expect(arrived).toBeLessThan(4_500);
    expect(Number(notice.fields?.['dropped'])).toBe(5_000 - arrived);
  });

  it('is cut where it is too long', async () => {
    const pool = await open();
    await pool.execute('log_huge', { size: 1_000_000 });
    const { message, fields } = await chatty.record('xxx');
    expect(message.length).toBeLessThan(40_000);
    expect(message).toMatch(/^x+ … \d+ characters are left out … x+$/);
    if (isPython) expect(fields).toMatchObject({ blob: expect.stringMatching(/^y.*left out/) as string, end: '1' });
  });

  it('stays as lines where it is printed past the logging, and floods of that are dropped too', async () => {
    const pool = await chatty.open({ ...WORKERS[name]!(), maxLogRate: 100 });
    await pool.execute('shout', { message: 'first\nsecond' });
    expect(await chatty.record('first')).toEqual({
      level: 'info',
      message: 'first',
      pool: 'work',
      worker: pool.workers()[0]!.id,
    });
    await chatty.record('second');
    await pool.execute('print_flood', { count: 2_000 });
    expect((await chatty.record('were dropped: more than 100 a second')).level).toBe('warn');
    expect(chatty.logs.filter(({ message }) => message.startsWith('line ')).length).toBeLessThan(1_000);
  });
});

describe.each(Object.keys(WORKERS).filter((name) => name.startsWith('Python')))(
  'what Python does not catch, %s',
  (name) => {
    it.each([
      ['fail_in_thread', 'the thread helper ended by an exception: ValueError: in a thread', 'ValueError: in a thread'],
      ['fail_in_finalizer', 'ValueError: in a finalizer', 'ValueError: in a finalizer'],
      ['fail_in_task', 'Task exception was never retrieved', 'ValueError: in a task'],
    ])('%s is one record of level error, with the traceback', async (command, message, last) => {
      const pool = await chatty.open(WORKERS[name]!());
      await pool.execute(command);
      const record = await chatty.record(message);
      expect(record.level).toBe('error');
      expect(record.fields?.['exception']).toMatch(new RegExp(`^Traceback [^]*${last}$`));
      await pool.execute('shout', { message: 'afterwards' });
      await chatty.record('afterwards');
      expect(chatty.logs.filter((each) => /^(Traceback| +File )/.test(each.message))).toEqual([]);
    });
  },
);

describe('logging in Python', () => {
  const open = (module = PYTHON) => chatty.open({ adapter: python({ module }) });

  it('carries extra fields of a record, from a library that was loaded late', async () => {
    const pool = await open();
    await pool.execute('log_plain', { message: 'counted' });
    expect(await chatty.record('counted')).toMatchObject({ level: 'info', logger: 'app.models', fields: { rows: 3 } });
  });

  it('comes once where the module has configured a handler for stderr, at the level that it chose', async () => {
    const pool = await open('test/fixtures/logs/configured.py');
    await pool.execute('log_once', { message: 'only once' });
    const record = await chatty.record('only once');
    await pool.execute('log_once', { message: 'afterwards' });
    await chatty.record('afterwards');
    expect(record).toMatchObject({ level: 'debug', logger: 'app' });
    expect(chatty.logs.filter(({ message }) => message.includes('only once'))).toHaveLength(1);
  });

  it('says what is wrong with a record that cannot be written', async () => {
    const pool = await open();
    await pool.execute('log_nonsense');
    expect(await chatty.record('a log record cannot be written: TypeError')).toMatchObject({
      level: 'error',
      fields: { template: '%d rows', file: expect.stringContaining('chatty.py') as string },
    });
  });

  it('reaches the log through stderr from a process that a command has forked', async () => {
    const pool = await open();
    await pool.execute('log_in_child', { message: 'from a child' });
    expect(await chatty.record('from a child')).toMatchObject({
      level: 'warn',
      message: 'WARNING app.models: from a child',
    });
  });

  it('does not feed on itself', async () => {
    const pool = await open();
    await pool.execute('log_itself');
    await chatty.record('got loud');
    expect(chatty.logs.filter(({ message }) => message.includes('looked at'))).toEqual([]);
  });

  it('may be done by finalizers at any time, also while a record is being sent', async () => {
    const pool = await open();
    expect(await pool.execute('log_in_finalizers', { count: 300 })).toBe(300);
    await chatty.record('finalizer 299');
    expect(chatty.logs.filter(({ logger }) => logger === 'app.finalizer')).toHaveLength(300);
  });
});

it('a promise that nobody handles ends a Node worker, which says so in one record', async () => {
  const pool = await chatty.open({ adapter: node({ module: NODE }) });
  await expect(pool.execute('end_by_rejection')).rejects.toMatchObject({ code: 'WORKER_EXITED' });
  expect(await chatty.record('nobody handled it')).toMatchObject({
    level: 'fatal',
    fields: { origin: 'unhandledRejection', exception: expect.stringContaining('nobody waits for this') as string },
  });
});
