import type { LogBody } from 'nestjs-snakepit/codec';

/** How long the record may take to leave. */
const LEAVE_MS = 20;
const FAILED = 1;

let isInstalled = false;

/** Sends warnings and what nobody catches; `send` returns false when nobody has got a record. */
export function forwardUncaught(send: (record: LogBody) => boolean): void {
  if (isInstalled) return;
  isInstalled = true;
  forwardWarnings(send);
  process.on('uncaughtException', (error, origin) => {
    const isSent = send(recordOf(error, origin));
    // Somebody else decides what becomes of the process.
    if (process.listenerCount('uncaughtException') > 1) return;
    if (!isSent) process.stderr.write(`${textOf(error)}\n`);
    setTimeout(() => process.exit(FAILED), isSent ? LEAVE_MS : 0);
  });
}

/** Node's own listener would print them a second time. */
function forwardWarnings(send: (record: LogBody) => boolean): void {
  const own = process.listeners('warning').filter(({ name }) => name === 'onWarning');
  for (const listener of own) process.off('warning', listener);
  process.on('warning', (warning) => {
    const { name, message, stack } = warning;
    const { code } = warning as { code?: string };
    const fields = { name, ...(code !== undefined && { code }), ...(stack !== undefined && { stack }) };
    if (send({ level: 'warn', message, logger: 'process.warning', fields })) return;
    for (const listener of own) listener.call(process, warning);
  });
}

function recordOf(error: unknown, origin: string): LogBody {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const kind =
    origin === 'unhandledRejection' ? 'a promise was rejected and nobody handled it' : 'nobody caught an exception';
  const message = `the worker ends, for ${kind}: ${what}`;
  return { level: 'fatal', message, logger: 'process.uncaught', fields: { origin, exception: textOf(error) } };
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
