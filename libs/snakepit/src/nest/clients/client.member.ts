import type { Observable } from 'rxjs';

import { declaredOptions } from '../../pool/index.js';
import type { ExecuteOptions, PoolService } from '../../runtime/index.js';
import type { MemberDeclaration } from './client.metadata.js';
import type { ResolvedClientOptions } from './client.options.js';

type Run = (args?: unknown, options?: ExecuteOptions) => Promise<unknown> | Observable<unknown>;
type RunInSession = (session: string, ...given: Parameters<Run>) => ReturnType<Run>;

/** What a member of a client is: a function that runs its command in the pool. */
export function memberFunction(
  { member, command, options }: MemberDeclaration,
  client: ResolvedClientOptions,
  pool: PoolService,
): Run | RunInSession {
  const { stream, session, idempotent, validate } = options;
  const declared: ExecuteOptions = declaredOptions({
    timeoutMs: options.timeoutMs ?? client.timeoutMs,
    priority: options.priority ?? client.priority,
    idempotent,
    validate,
  });
  const calling = (given: ExecuteOptions | undefined): ExecuteOptions =>
    given === undefined ? declared : { ...declared, ...given };
  const functions = {
    call: (args, given) => pool.execute(command, args, calling(given)),
    stream: (args, given) => pool.stream(command, args, calling(given)),
  } satisfies Record<string, Run>;
  const inSession = {
    call: (id, args, given) => pool.executeInSession(id, command, args, calling(given)),
    stream: (id, args, given) => pool.streamInSession(id, command, args, calling(given)),
  } satisfies Record<string, RunInSession>;
  const run = (session ? inSession : functions)[stream ? 'stream' : 'call'];
  return Object.defineProperty(run, 'name', { value: member });
}
