import { describe, expect, it } from 'vitest';

import { ManualClock } from '../testing/manual-clock.js';
import { SIGNALLED_STACK_BUDGET_MS, StackDump } from './stack-dump.js';

const DUMP = [
  'Thread 0x00007f0102030405 (most recent call first):',
  '  File "/usr/lib/python3.11/threading.py", line 320 in wait',
  '',
  'Current thread 0x00007f0102030406 (most recent call first):',
  '  File "report.py", line 7 in summarize',
];

function setUp() {
  const clock = new ManualClock();
  clock.advance(5_000);
  let signals = 0;
  const dump = new StackDump(clock);
  const request = () => dump.request(() => void (signals += 1), SIGNALLED_STACK_BUDGET_MS);
  return { clock, dump, request, signals: () => signals };
}

describe('a stack dump', () => {
  it('is what stderr brings between the request and a pause', async () => {
    const { clock, dump, request } = setUp();
    const text = request();
    for (const line of DUMP) expect(dump.takes(line)).toBe(true);
    clock.advance(4);
    expect(await text).toBe(DUMP.join('\n'));
  });

  it('leaves other lines to the log, before it begins and in between', async () => {
    const { clock, dump, request } = setUp();
    expect(dump.takes(DUMP[0]!)).toBe(false);
    const text = request();
    expect(dump.takes('  an indented line of a print')).toBe(false);
    expect(dump.takes(DUMP[0]!)).toBe(true);
    expect(dump.takes('Thread pool is full')).toBe(false);
    expect(dump.takes(DUMP[1]!)).toBe(true);
    clock.advance(4);
    expect(await text).toBe(DUMP.slice(0, 2).join('\n'));
  });

  it('is given up when nothing comes within its budget; what comes later is a line as any other', async () => {
    const { clock, dump, request } = setUp();
    const text = request();
    clock.advance(SIGNALLED_STACK_BUDGET_MS);
    expect(await text).toBeUndefined();
    expect(dump.takes(DUMP[0]!)).toBe(false);
  });

  it('is shared by all who ask while it is on its way, and not taken again within a second', async () => {
    const { clock, dump, request, signals } = setUp();
    const first = request();
    expect(request()).toBe(first);
    dump.takes(DUMP[0]!);
    clock.advance(4);
    await first;
    expect(request()).toBeUndefined();
    expect(signals()).toBe(1);
    clock.advance(1_000);
    expect(request()).toBeDefined();
    expect(signals()).toBe(2);
  });

  it('ends with its worker', async () => {
    const { clock, dump, request } = setUp();
    const text = request();
    dump.end();
    expect(await text).toBeUndefined();
    expect(clock.timers).toBe(0);
  });
});
