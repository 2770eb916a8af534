import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';

import { hasListeners, publish, subscribe, type EventPayloads } from './events.js';

const event: EventPayloads['snakepit:worker-event'] = {
  instance: 'i',
  pool: 'p',
  worker: 'p-1',
  name: 'cache.miss',
  data: { n: 1 },
  call: undefined,
};

describe('events', () => {
  it('reach a subscriber until it leaves', () => {
    const heard: unknown[] = [];
    expect(hasListeners('snakepit:worker-event')).toBe(false);
    const leave = subscribe('snakepit:worker-event', (payload) => heard.push(payload));
    expect(hasListeners('snakepit:worker-event')).toBe(true);
    publish('snakepit:worker-event', event);
    leave();
    expect(hasListeners('snakepit:worker-event')).toBe(false);
    publish('snakepit:worker-event', event);
    expect(heard).toEqual([event]);
  });

  it('are published on the diagnostics channel of their name and on no other', () => {
    const heard: string[] = [];
    const onMessage = (_: unknown, name: string | symbol): void => void heard.push(String(name));
    const names = ['snakepit:worker', 'snakepit:call', 'snakepit:worker-event'];
    for (const name of names) channel(name).subscribe(onMessage);
    publish('snakepit:worker-event', event);
    for (const name of names) channel(name).unsubscribe(onMessage);
    expect(heard).toEqual(['snakepit:worker-event']);
  });
});
