import { format } from 'node:util';
import type { LogBody } from 'nestjs-snakepit/codec';

import type { Call } from './call.js';
import { currentCall } from './current-call.js';
import { forwardUncaught } from './uncaught.js';

/** A host that takes log records. */
export interface LogLink {
  /** `call` is undefined where a record belongs to none. */
  log(call: Call | undefined, record: LogBody): void;
}

const LEVELS = { debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'debug' } as const;
type Method = keyof typeof LEVELS;

const links = new Set<LogLink>();
/** The console as it was. */
const originals = new Map<Method, (...args: unknown[]) => void>();
let keepsConsole = false;
let isSending = false;

/**
 * Has what is printed by `console`, what Node warns of and what nobody catches go to the hosts, each as one record.
 *
 * To be called before the user's code is loaded, which may keep a method of the console; while no host listens, all is as ever.
 */
export function installProcessLog(): void {
  for (const method of Object.keys(LEVELS) as Method[]) {
    originals.set(method, console[method].bind(console));
    console[method] = (...args: unknown[]) => print(method, args);
  }
}

/** From now on the host gets what belongs to no call, too. @param isOwn the host reads our standard streams as well */
export function addLogLink(link: LogLink, isOwn: boolean): void {
  if (!isOwn) keepsConsole = true;
  if (links.size === 0) forwardUncaught(sendLog);
  links.add(link);
}

export function removeLogLink(link: LogLink): void {
  links.delete(link);
}

/** False when nobody has got it. */
function sendLog(record: LogBody): boolean {
  // What is printed on the way would be sent again.
  if (isSending || links.size === 0) return false;
  isSending = true;
  try {
    const call = currentCall();
    if (call !== undefined) call.uplink.log(call, record);
    else for (const link of links) link.log(undefined, record);
    return true;
  } catch {
    return false;
  } finally {
    isSending = false;
  }
}

function print(method: Method, args: readonly unknown[]): void {
  const isSent = sendLog(recordOf(method, args));
  if (!isSent || keepsConsole) originals.get(method)?.(...args);
}

function recordOf(method: Method, args: readonly unknown[]): LogBody {
  const error = args.find((arg) => arg instanceof Error);
  const message = format(...args.map((arg) => (arg instanceof Error ? `${arg.name}: ${arg.message}` : arg)));
  const stack = method === 'trace' ? new Error(message).stack : undefined;
  const fields = {
    ...(error?.stack !== undefined && { exception: error.stack }),
    ...(stack !== undefined && { stack }),
  };
  return { level: LEVELS[method], message, logger: 'console', ...(Object.keys(fields).length > 0 && { fields }) };
}
