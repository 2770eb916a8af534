type Listener = (reason: unknown) => void;

interface Subscription {
  readonly listeners: Set<Listener>;
  readonly onAbort: () => void;
}

/**
 * Listeners by signal. One AbortSignal often serves thousands of calls, and adding and removing an event listener
 * for each costs far more than a set does; so each signal gets one listener, however many calls watch it.
 */
const subscriptions = new WeakMap<AbortSignal, Subscription>();

/** Calls `listener` once when `signal` aborts; the signal must not be aborted yet. */
export function watchAbort(signal: AbortSignal, listener: Listener): void {
  let subscription = subscriptions.get(signal);
  if (subscription === undefined) {
    const listeners = new Set<Listener>();
    const onAbort = (): void => {
      subscriptions.delete(signal);
      for (const each of listeners) each(signal.reason);
    };
    subscription = { listeners, onAbort };
    subscriptions.set(signal, subscription);
    signal.addEventListener('abort', onAbort, { once: true });
  }
  subscription.listeners.add(listener);
}

export function unwatchAbort(signal: AbortSignal, listener: Listener): void {
  const subscription = subscriptions.get(signal);
  if (subscription === undefined) return;
  subscription.listeners.delete(listener);
  if (subscription.listeners.size > 0) return;
  subscriptions.delete(signal);
  signal.removeEventListener('abort', subscription.onAbort);
}
