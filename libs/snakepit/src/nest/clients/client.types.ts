import type { Observable } from 'rxjs';

import type { ExecuteOptions } from '../../runtime/index.js';

/** What a caller may say about one call of a client's command; it wins over what the client declares. */
export type ClientCallOptions = Omit<ExecuteOptions, 'pool'>;

/** A command without arguments takes none, or null before its options. */
type Given<Args> = [Args] extends [void]
  ? [args?: null, options?: ClientCallOptions]
  : [args: Args, options?: ClientCallOptions];

/** A member of a client that runs a command and returns its result: `Command<{ rows: number[][] }, Prediction[]>`. */
export type Command<Args = void, Result = unknown> = (...given: Given<Args>) => Promise<Result>;

/** A member of a client that is a stream, declared with `stream: true`: a cold Observable, whose unsubscribe stops the command. */
export type StreamCommand<Args = void, Item = unknown> = (...given: Given<Args>) => Observable<Item>;

/** The same within a session whose id comes first; declared with `session: true`. */
export type SessionCommand<Args = void, Result = unknown> = (session: string, ...given: Given<Args>) => Promise<Result>;

/** A stream within a session; declared with `session: true` and `stream: true`. */
export type SessionStreamCommand<Args = void, Item = unknown> = (
  session: string,
  ...given: Given<Args>
) => Observable<Item>;
