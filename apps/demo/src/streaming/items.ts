import { Observable } from 'rxjs';

export type Items<Item> = AsyncIterable<Item> | Observable<Item>;

/** Items to be pulled one by one. An Observable cannot be slowed down, so what it sends ahead is kept until it is asked for. */
export function pull<Item>(items: Items<Item>, signal: AbortSignal): AsyncIterable<Item> {
  return items instanceof Observable ? collected(items, signal) : items;
}

async function* collected<Item>(items: Observable<Item>, signal: AbortSignal): AsyncGenerator<Item, void, undefined> {
  const waiting: Item[] = [];
  let ending: { readonly error?: unknown } | undefined;
  let wake = (): void => undefined;
  const finish = (outcome: { readonly error?: unknown }): void => {
    ending ??= outcome;
    wake();
  };
  const subscription = items.subscribe({
    next: (item) => {
      waiting.push(item);
      wake();
    },
    error: (error: unknown) => finish({ error }),
    complete: () => finish({}),
  });
  const leave = (): void => {
    subscription.unsubscribe();
    finish({});
  };
  signal.addEventListener('abort', leave, { once: true });
  try {
    for (;;) {
      yield* waiting.splice(0);
      if (waiting.length > 0) continue;
      if (ending !== undefined) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if ('error' in ending) throw ending.error;
  } finally {
    signal.removeEventListener('abort', leave);
    subscription.unsubscribe();
  }
}
