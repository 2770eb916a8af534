import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { go } from '../../adapters/index.js';
import type { ProcessAdapter } from '../../worker/launch-spec.js';
import { Snakepit } from '../../runtime/index.js';
import { toError } from '../../core/index.js';
import { WORKER_TEMPLATES, type WorkerLanguage } from '../new/worker-templates.js';
import { writeWorker } from '../new/write-worker.js';
import { chosenAdapter } from '../worker-choice.js';
import { lack, ok, type Finding } from './finding.js';

/** Starts a worker of the kind that `snakepit new worker` writes, in a pool of its own, and calls it. */
export async function tryWorker(language: WorkerLanguage, isAsked: boolean): Promise<Finding> {
  const { title, command, stream } = WORKER_TEMPLATES[language];
  const about = `${title} worker`;
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), 'snakepit-doctor-'));
    const { target } = await writeWorker({ language, name: 'report', folder });
    const adapter =
      language === 'go'
        ? go({ package: target, builds: join(folder, 'builds') })
        : await chosenAdapter({ [language]: target });
    return ok(about, await startAndCall(adapter, command, stream));
  } catch (error) {
    return lack(isAsked, about, toError(error).message, 'Mend what it says; the same would keep a pool from starting.');
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function startAndCall(adapter: ProcessAdapter, command: string, stream: string): Promise<string> {
  const snakepit = new Snakepit({ adapter, size: 1 });
  const args = { amounts: [1, 2, 6] };
  try {
    const startedAt = performance.now();
    await snakepit.start();
    const readyAt = performance.now();
    const { total } = await snakepit.pool().execute<{ readonly total: number }>(command, args);
    const calledAt = performance.now();
    const totals: unknown[] = [];
    for await (const each of snakepit.pool().iterate(stream, args)) totals.push(each);
    if (total !== 9 || totals.join() !== '1,3,9')
      throw new Error(`it answered ${total} and ${totals.join()}, not 9 and 1,3,9`);
    return `started in ${(readyAt - startedAt).toFixed(0)} ms, answered a call in ${(calledAt - readyAt).toFixed(1)} ms, and streamed`;
  } finally {
    await snakepit.close();
  }
}
