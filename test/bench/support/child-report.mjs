import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a script in this folder sends as its only message, run in a process whose memory is its own. */
export async function reportOf(script, ...args) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args.map(String));
  let report;
  child.once('message', (message) => {
    report = message;
  });
  const [status, signal] = await once(child, 'exit');
  if (status !== 0 || report === undefined) throw new Error(`${script} ended with ${signal ?? `status ${status}`}`);
  return report;
}
