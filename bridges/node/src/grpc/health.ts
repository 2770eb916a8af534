import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ServingStatus, type HealthCheckRequest, type HealthCheckResponseInit } from 'nestjs-snakepit/codec/grpc';

import type { Grpc } from './load-grpc.js';

type WatchStream = ServerWritableStream<HealthCheckRequest, HealthCheckResponseInit>;
type CheckAnswer = (error: { code: number; details: string } | null, answer?: HealthCheckResponseInit) => void;

/** The whole server, and the one service that hosts look for. */
const SERVICES = new Set(['', 'snakepit.v2.Worker']);

/** `grpc.health.v1.Health`: SERVING until it is told otherwise. */
export class Health {
  #isServing = true;
  readonly #watchers = new Set<WatchStream>();

  constructor(private readonly grpc: Grpc) {}

  handlers(): UntypedServiceImplementation {
    return {
      check: ({ request }: { request: HealthCheckRequest }, answer: CheckAnswer) => {
        if (SERVICES.has(request.service)) answer(null, { status: this.#status() });
        else answer({ code: this.grpc.status.NOT_FOUND, details: `there is no service '${request.service}'` });
      },
      watch: (stream: WatchStream) => this.#watch(stream),
    };
  }

  /** Tells all who watch, and ends their streams: the server will close. */
  stopServing(): void {
    this.#isServing = false;
    for (const stream of this.#watchers) {
      stream.write({ status: this.#status() });
      stream.end();
    }
    this.#watchers.clear();
  }

  #watch(stream: WatchStream): void {
    if (!SERVICES.has(stream.request.service)) {
      stream.write({ status: ServingStatus.SERVICE_UNKNOWN });
      return;
    }
    stream.write({ status: this.#status() });
    if (!this.#isServing) return void stream.end();
    this.#watchers.add(stream);
    stream.on('cancelled', () => this.#watchers.delete(stream));
  }

  #status(): number {
    return this.#isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
