import { AsyncLocalStorage } from 'node:async_hooks';

type Values = Readonly<Record<string, unknown>>;

// One for all: where the runtime has to track promises, each storage adds to what every promise costs.
const storage = new AsyncLocalStorage<Values>();
let open = 0;

/**
 * What code inherits from the task in whose course it runs, however many promises lie between.
 *
 * Promises are tracked only while a task is open anywhere: {@link leave} has to follow each {@link enter}, once. What a task has left behind
 * running still sees its value while another one is open; the value itself has to say whether it holds.
 */
export class Ambient<Value> {
  /** @param name no other's */
  constructor(private readonly name: string) {}

  /** The value of the task that asks; where no task is open, the question costs a comparison. */
  get current(): Value | undefined {
    return open === 0 ? undefined : (storage.getStore()?.[this.name] as Value | undefined);
  }

  enter<Result>(value: Value, task: () => Result): Result {
    open += 1;
    return storage.run({ ...storage.getStore(), [this.name]: value }, task);
  }

  leave(): void {
    open -= 1;
    if (open === 0) storage.disable();
  }
}
