import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { SnakepitIdGenerator, SnakepitOpenTelemetryModule } from 'nestjs-snakepit/opentelemetry';

import { ClosedLoop } from './load.mjs';
import { openNestApplication } from './nest-application.mjs';

const REQUESTS = 100;
/** Takes spans as an exporter does, and sends them nowhere. */
const exporter = {
  export: (_, done) => done({ code: 0 }),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

/** An application whose calls are followed, each made within the span of a request; of these one in a hundred is sampled. */
export async function openTracedApplication(options) {
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new BatchSpanProcessor(exporter)],
    idGenerator: new SnakepitIdGenerator(),
  });
  const tracing = SnakepitOpenTelemetryModule.forRoot({ tracerProvider });
  const application = await openNestApplication(options, [tracing]);
  const requests = Array.from({ length: REQUESTS }, (_, n) => requestContext(tracerProvider, n === 0));
  let calls = 0;
  const { add } = application.decorated;
  return {
    add: () => context.with(requests[(calls += 1) % REQUESTS], add),
    async close() {
      await application.close();
      await tracerProvider.shutdown();
    },
  };
}

/** What is active while a request is handled, as an instrumentation of HTTP has it. */
function requestContext(tracerProvider, isSampled) {
  const span = tracerProvider.getTracer('bench').startSpan('GET /add');
  if (isSampled) return trace.setSpan(ROOT_CONTEXT, span);
  return trace.setSpanContext(ROOT_CONTEXT, { ...span.spanContext(), traceFlags: 0 });
}

/** Calls of such an application. The context manager is there only while it runs: it would slow down what is measured beside. */
export class TracedLoop extends ClosedLoop {
  start() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    super.start();
  }

  async stop() {
    await super.stop();
    context.disable();
  }
}
