/**
 * Runs in a thread of its own, beside a main thread that commands may block: ends the process when its host is gone, and writes the
 * stack of the main thread to stderr when the host asks for it.
 */
import type { Debugger, InspectorNotification, Session } from 'node:inspector';

import fs = require('node:fs');
import net = require('node:net');
import url = require('node:url');
import threads = require('node:worker_threads');

interface WatchdogData {
  /** The host's process id. */
  readonly parent: number;
  /** Whether this process leads a group, which ends with it. */
  readonly leadsGroup: boolean;
  /** Descriptor on which each byte of the host asks for the stack; undefined: nobody asks. */
  readonly stacksFd: number | undefined;
  /** Folders whose code serves the host; where nothing else is on the stack, no command is. */
  readonly servingFolders: readonly string[];
}

const STDERR = 2;
const PARENT_CHECK_MS = 100;
/** JavaScript that runs answers the inspector within 20 to 60 ms, by how many scripts are loaded; a native call when it returns. */
const ANSWER_MS = 120;
/** JavaScript that runs pauses at once; where none runs, nothing does. */
const PAUSE_MS = 15;
const MAX_FRAMES = 100;
const HEADER = 'Thread 0x0 [main] (most recent call first):';

const IDLE = 'in the event loop: no command runs JavaScript';
/** Of gRPC, wherever it is installed. */
const GRPC_PATH = /[\\/]node_modules[\\/]@grpc[\\/]/;

const { parent, leadsGroup, stacksFd, servingFolders } = threads.workerData as WatchdogData;

setInterval(() => {
  if (process.ppid === parent) return;
  try {
    process.kill(leadsGroup ? -process.pid : process.pid, 'SIGKILL');
  } catch {
    // The group is gone; so is this process, then.
  }
}, PARENT_CHECK_MS);

// Whoever debugs this process may have paused it, and resuming it would be rude.
const isDebugged = process.execArgv.some((argument) => argument.startsWith('--inspect'));
if (stacksFd !== undefined && !isDebugged) listen(stacksFd);

function listen(fd: number): void {
  let isBusy = false;
  const requests = new net.Socket({ fd, readable: true, writable: false });
  requests.on('error', () => {});
  requests.on('data', () => {
    if (isBusy) return;
    isBusy = true;
    takeStack((lines) => {
      isBusy = false;
      write([HEADER, ...lines.map((line) => `  ${line}`)]);
    });
  });
}

/**
 * Pauses the main thread for as long as it takes to read its stack. The inspector is loaded with the first request and opens no port; its
 * session talks with the main thread in memory, which answers between two instructions of a loop.
 */
function takeStack(done: (lines: readonly string[]) => void): void {
  const inspector = require('node:inspector') as typeof import('node:inspector');
  const session = new inspector.Session();
  const paths = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const finish = (lines: readonly string[]): void => {
    isOver = true;
    clearTimeout(timer);
    session.removeAllListeners();
    end(session);
    done(lines);
  };
  const finishAfter = (ms: number, why: string): void => {
    clearTimeout(timer);
    // What was asked and not answered is answered when the session ends.
    if (!isOver) timer = setTimeout(() => finish([why]), ms);
  };
  session.connectToMainThread();
  session.on('Debugger.scriptParsed', ({ params }) => paths.set(params.scriptId, params.url));
  session.on('Debugger.paused', ({ params }: InspectorNotification<Debugger.PausedEventDataType>) => {
    session.post('Debugger.resume');
    const frames = params.callFrames.slice(0, MAX_FRAMES);
    const places = frames.map((frame) => pathOf(frame, paths));
    finish(places.every(isServing) ? [IDLE] : frames.map((frame, index) => describe(frame, places[index]!)));
  });
  finishAfter(ANSWER_MS, `in native code, which did not return within ${ANSWER_MS} ms`);
  session.post('Debugger.enable');
  session.post('Debugger.pause', () => finishAfter(PAUSE_MS, IDLE));
}

/** Takes a request to pause back that has had no effect yet. */
function end(session: Session): void {
  session.post('Debugger.disable');
  session.disconnect();
}

function pathOf({ location }: Debugger.CallFrame, paths: ReadonlyMap<string, string>): string {
  const place = paths.get(location.scriptId) ?? '';
  return place.startsWith('file:') ? url.fileURLToPath(place) : place;
}

function isServing(path: string): boolean {
  return path.startsWith('node:') || GRPC_PATH.test(path) || servingFolders.some((folder) => path.startsWith(folder));
}

function describe({ functionName, location }: Debugger.CallFrame, path: string): string {
  return `File "${path || 'unnamed'}", line ${location.lineNumber + 1} in ${functionName || '<anonymous>'}`;
}

function write(lines: readonly string[]): void {
  try {
    // Not by `process.stderr`, which is the main thread's.
    fs.writeSync(STDERR, `${lines.join('\n')}\n\n`);
  } catch {
    // EAGAIN: nobody reads it; EPIPE: nobody is left to.
  }
}
