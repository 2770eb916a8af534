import { describe, expect, it } from 'vitest';

import { CommandMeters, Histogram, samplesOf, WorkerMetrics, type DropCause, type WorkerMetric } from './index.js';

describe('a histogram', () => {
  it('counts a value at the first bound that is not below it, and tells sums of all below', () => {
    const histogram = new Histogram([1, 10]);
    for (const value of [0.5, 1, 1.5, 10, 11]) histogram.observe(value);
    const lines = samplesOf(histogram, { pool: 'p' }).map(({ suffix, labels, value }) => [suffix, labels['le'], value]);
    expect(lines).toEqual([
      ['_bucket', '1', 2],
      ['_bucket', '10', 4],
      ['_bucket', '+Inf', 5],
      ['_sum', undefined, 24],
      ['_count', undefined, 5],
    ]);
  });
});

describe('meters of commands', () => {
  const open = () => new CommandMeters({ bounds: [1], maxCommands: 2, knows: (_, command) => command === 'known' });

  it('are one for each command and kind, whoever asks', () => {
    const meters = open();
    expect(meters.of('a', 'call', 'known')).toBe(meters.of('a', 'call', 'known'));
    expect(meters.of('a', 'call', 'known')).not.toBe(meters.of('a', 'stream', 'known'));
    expect(meters.of('a', 'call', 'known')).not.toBe(meters.of('b', 'call', 'known'));
  });

  it('are shared by commands beyond the bound, except those that workers know', () => {
    const meters = open();
    for (const name of ['one', 'two', 'three', 'four']) meters.of('a', 'call', name);
    expect(meters.of('a', 'call', 'three')).toBe(meters.of('a', 'call', 'other'));
    expect(meters.of('a', 'call', 'known').command).toBe('known');
    expect([...meters].map(({ command }) => command)).toEqual(['one', 'two', 'other', 'known']);
  });

  it('keep failures of either kind apart, by code', () => {
    const meter = open().of('a', 'call', 'known');
    meter.onFailed('CANCELLED', 1, 2);
    meter.onFailed('CALL_TIMEOUT', 1, 2);
    meter.onSucceeded(500, 1_500);
    expect(meter).toMatchObject({ succeeded: 1, cancelled: 1, failed: 1 });
    expect(Object.fromEntries(meter.codes)).toEqual({ CANCELLED: 1, CALL_TIMEOUT: 1 });
    expect(meter.queue.sum).toBeCloseTo(0.502);
    expect([...meter.duration.counts]).toEqual([2, 1]);
  });
});

describe('what workers measure', () => {
  function open() {
    const seen: WorkerMetric[] = [];
    const dropped: DropCause[] = [];
    const metrics = new WorkerMetrics({
      maxMetrics: 3,
      maxSeries: 2,
      boundsOf: () => [1],
      onMetric: (metric) => seen.push(metric) > 0 && metric.name !== 'taken',
      onDropped: (_, cause) => dropped.push(cause),
    });
    return { metrics, seen, dropped };
  }

  it.each<[DropCause, unknown]>([
    ['malformed', 'text'],
    ['malformed', [['sum', 'a', null, 1]]],
    ['malformed', [['count', 'no name', null, 1]]],
    ['malformed', [['count', 'a', null, -1]]],
    ['malformed', [['count', 'a', null, Number.NaN]]],
    ['malformed', [['count', 'a', null, [1]]]],
    ['malformed', [['observe', 'a', null, 1]]],
    ['malformed', [['observe', 'a', null, [1, 'x']]]],
    ['malformed', [['gauge', 'a', null, '1']]],
    ['malformed', [[]]],
    ['malformed', [null]],
    ['labels', [['count', 'a', { pool: 'x' }, 1]]],
    ['labels', [['count', 'a', { __name__: 'x' }, 1]]],
    ['labels', [['count', 'a', { le: '1' }, 1]]],
    ['labels', [['count', 'a', { x: 1 }, 1]]],
    ['labels', [['count', 'a', { x: 'y'.repeat(129) }, 1]]],
    ['labels', [['count', 'a', ['x'], 1]]],
    ['labels', [['count', 'a', Object.fromEntries([...'abcdefghi'].map((name) => [name, '1'])), 1]]],
    ['conflict', [['count', 'taken', null, 1]]],
  ])('is dropped as %s where a worker sends %j', (cause, data) => {
    const { metrics, dropped } = open();
    metrics.add('p', 'p-1', data);
    expect(dropped).toEqual([cause]);
    expect(metrics.dropped.get('p')?.get(cause)).toBe(1);
  });

  it('keeps its type and its labels, and no more names and series than it may have', () => {
    const { metrics, seen, dropped } = open();
    metrics.add('p', 'p-1', [
      ['count', 'a', { y: '1', x: '1' }, 2],
      ['count', 'a', { x: '1', y: '1' }, 3],
      ['count', 'a', { x: '2', y: '1' }, 1],
      ['count', 'a', { x: '3', y: '1' }, 1],
      ['count', 'a', { x: '1' }, 1],
      ['gauge', 'a', { x: '1', y: '1' }, 1],
      ['observe', 'b', null, [0.5, 2]],
      ['count', 'c', null, 1],
      ['count', 'd', null, 1],
    ]);
    expect(dropped).toEqual(['series', 'labels', 'conflict', 'names']);
    expect(seen.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect([...seen[0]!.series.values()].map(({ labels, value }) => [labels, value])).toEqual([
      [{ pool: 'p', x: '1', y: '1' }, 5],
      [{ pool: 'p', x: '2', y: '1' }, 1],
    ]);
  });

  it('adds up over workers but for gauges, which go with their worker', () => {
    const { metrics, seen } = open();
    for (const worker of ['p-1', 'p-2']) {
      metrics.add('p', worker, [
        ['count', 'a', null, 1],
        ['gauge', 'b', null, 7],
      ]);
    }
    metrics.retain(new Set(['p-2']));
    const values = seen.map(({ series }) => [...series.values()].map(({ labels, value }) => [labels, value]));
    expect(values).toEqual([[[{ pool: 'p' }, 2]], [[{ pool: 'p', worker: 'p-2' }, 7]]]);
  });
});
