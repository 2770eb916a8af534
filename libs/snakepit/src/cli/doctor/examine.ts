import { checkHost } from './check-host.js';
import { checkPython } from './check-languages.js';
import { checkMemory } from './check-memory.js';
import { checkNode } from './check-node.js';
import { checkOtherLanguage, OTHER_LANGUAGES } from './check-other-languages.js';
import { checkPeers } from './check-peers.js';
import type { Finding, Subject } from './finding.js';
import { tryWorker } from './try-worker.js';

/**
 * Looks at the machine, at the project in `folder`, and at each language that is there, of which a worker is started and called.
 *
 * @param asked what has to work; what else is missing is no problem
 */
export async function examine(folder: string, asked: ReadonlySet<Subject>): Promise<Finding[]> {
  return [
    ...checkNode(),
    ...checkPeers(folder, asked),
    ...checkHost(asked),
    ...checkMemory(),
    await tryWorker('node', true),
    ...(await examinePython(asked)),
    ...(await examineOthers(asked)),
  ];
}

async function examinePython(asked: ReadonlySet<Subject>): Promise<Finding[]> {
  const { findings, there } = await checkPython(asked);
  return there ? [...findings, await tryWorker('python', asked.has('python'))] : findings;
}

async function examineOthers(asked: ReadonlySet<Subject>): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const language of Object.keys(OTHER_LANGUAGES) as (keyof typeof OTHER_LANGUAGES)[]) {
    const { finding, there } = await checkOtherLanguage(language, asked.has(language));
    findings.push(finding);
    // A Go worker is built, which takes its time: only for those who ask.
    if (there && (language !== 'go' || asked.has('go'))) findings.push(await tryWorker(language, asked.has(language)));
  }
  return findings;
}
