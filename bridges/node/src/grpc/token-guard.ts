import { timingSafeEqual } from 'node:crypto';
import type { Metadata, ServerInterceptor } from '@grpc/grpc-js';

import type { Grpc } from './load-grpc.js';

const UNGUARDED = '/grpc.health.v1.Health/';

/** Refuses RPCs that do not show the token before their message is read; health is for everybody. */
export function tokenGuard({ ServerInterceptingCall, status }: Grpc, token: string): ServerInterceptor {
  const expected = Buffer.from(`Bearer ${token}`);
  return ({ path }, call) => {
    if (path.startsWith(UNGUARDED)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, goOn) => {
            if (showsToken(metadata, expected)) goOn(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: "show the worker's token" });
          },
        }),
    });
  };
}

/** In constant time but for the length, which is no secret. */
function showsToken(metadata: Metadata, expected: Buffer): boolean {
  const [shown] = metadata.get('authorization');
  if (shown === undefined) return false;
  const bytes = Buffer.from(shown);
  return bytes.length === expected.length && timingSafeEqual(bytes, expected);
}
