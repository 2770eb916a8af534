import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';

import { unwatchAbort, watchAbort } from './abort.js';

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('watchAbort', () => {
  it('keeps one event listener for thousands of calls and none after the last', () => {
    const { signal } = new AbortController();
    const calls = Array.from({ length: 5_000 }, () => () => {});
    for (const call of calls) watchAbort(signal, call);
    expect(listenersOf(signal)).toBe(1);
    for (const call of calls.slice(1)) unwatchAbort(signal, call);
    expect(listenersOf(signal)).toBe(1);
    unwatchAbort(signal, calls[0]!);
    expect(listenersOf(signal)).toBe(0);
  });

  it('calls every watcher once with the reason', () => {
    const controller = new AbortController();
    const heard: string[] = [];
    for (const name of ['a', 'b', 'c'])
      watchAbort(controller.signal, (reason) => heard.push(`${name} ${String(reason)}`));
    controller.abort('enough');
    controller.abort('again');
    expect(heard).toEqual(['a enough', 'b enough', 'c enough']);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  it('does not call a watcher that has left', () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const left = (): void => void heard.push('left');
    watchAbort(controller.signal, left);
    watchAbort(controller.signal, () => heard.push('stayed'));
    unwatchAbort(controller.signal, left);
    controller.abort();
    expect(heard).toEqual(['stayed']);
  });

  it('lets watchers leave while they are told', () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const first = (): void => {
      heard.push('first');
      unwatchAbort(controller.signal, first);
    };
    watchAbort(controller.signal, first);
    watchAbort(controller.signal, () => heard.push('second'));
    controller.abort();
    expect(heard).toEqual(['first', 'second']);
  });

  it('watches again after everybody left', () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const one = (): void => void heard.push('one');
    watchAbort(controller.signal, one);
    unwatchAbort(controller.signal, one);
    watchAbort(controller.signal, one);
    controller.abort();
    expect(heard).toEqual(['one']);
  });

  it('keeps signals apart', () => {
    const a = new AbortController();
    const b = new AbortController();
    const heard: string[] = [];
    watchAbort(a.signal, () => heard.push('a'));
    watchAbort(b.signal, () => heard.push('b'));
    b.abort();
    expect(heard).toEqual(['b']);
  });

  it('ignores who never watched', () => {
    const { signal } = new AbortController();
    expect(() => unwatchAbort(signal, () => {})).not.toThrow();
  });
});
