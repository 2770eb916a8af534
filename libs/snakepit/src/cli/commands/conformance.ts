import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';

import type { BridgeProtocol, ConformanceOptions, ConformanceProgress, Group } from '../../conformance/index.js';
import type { CliCommand } from '../cli-command.js';

const TELL_MS = 5_000;

interface Given {
  readonly command: string;
  readonly protocol: BridgeProtocol;
  readonly codec?: 'json' | 'msgpack';
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly group?: readonly Group[];
  readonly json?: string;
  readonly verbose?: true;
}

/** `snakepit conformance`: drives a bridge of one's own through every case of the protocol that it speaks. */
export const conformance: CliCommand = (program) => {
  program
    .command('conformance')
    .description('check a bridge of your own against the wire protocol, by its conformance worker')
    .requiredOption(
      '--command <line>',
      "what starts the conformance worker, such as 'ruby worker.rb'; no shell reads it",
    )
    .addOption(new Option('--protocol <name>', 'what it speaks').choices(['v1', 'v2', 'grpc']).default('v2'))
    .addOption(new Option('--codec <name>', 'the codec to check; default: what it picks').choices(['json', 'msgpack']))
    .option('--env <NAME=VALUE>', 'a variable for the worker; may be repeated', addVariable, {})
    .option('--cwd <folder>', "the worker's working directory")
    .option('--group <name>', 'only cases of this group; may be repeated', addGroup)
    .option('--json <file>', 'write the report there, too')
    .option('--verbose', 'list every case, not only those that failed')
    .exitOverride(({ code, exitCode }) => process.exit(isAskedFor(code) ? exitCode : 2))
    .action(async (given: Given) => {
      process.exitCode = await check(given);
    });
};

/** @returns the exit status: 0 all claimed cases passed, 1 one failed, 2 there was nothing to check */
async function check({ command, protocol, codec, env, cwd, group, json, verbose }: Given): Promise<number> {
  const { ConformanceFailure, GROUPS, renderReport, runConformance } = await import('../../conformance/index.js');
  const progress = new ProgressLines();
  const options: ConformanceOptions = {
    command,
    protocol,
    codec,
    env,
    cwd,
    groups: group,
    onProgress: (now) => progress.update(now),
  };
  try {
    const unknown = group?.find((name) => !GROUPS.includes(name));
    if (unknown !== undefined) {
      throw new ConformanceFailure(`There is no group '${unknown}'. The groups are: ${GROUPS.join('; ')}.`);
    }
    const report = await runConformance(options);
    process.stdout.write(`${renderReport(report, verbose)}`);
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
    return report.passed === report.claimed ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConformanceFailure)) throw error;
    process.stderr.write(`snakepit conformance: ${error.message}\n`);
    return 2;
  } finally {
    progress.end();
  }
}

/** Tells on stderr now and then how far a run has come; a quick one says nothing. */
class ProgressLines {
  readonly #timer = setInterval(() => process.stderr.write(`${lineOf(this.#last)}\n`), TELL_MS);
  #last: ConformanceProgress = { ended: 0, total: 0, failed: 0, running: [] };

  update(progress: ConformanceProgress): void {
    this.#last = progress;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

function lineOf({ ended, total, failed, running }: ConformanceProgress): string {
  if (total === 0) return 'waits for the handshake …';
  const now = running.map((name) => `'${name}'`).join(', ');
  return `${ended} of ${total} cases, ${failed} failed; waits for ${now || 'the end'} …`;
}

function addGroup(name: string, known: readonly string[] = []): readonly string[] {
  return [...known, name];
}

function addVariable(text: string, known: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write it as NAME=VALUE.');
  return { ...known, [text.slice(0, at)]: text.slice(at + 1) };
}

function isAskedFor(code: string): boolean {
  return code === 'commander.helpDisplayed' || code === 'commander.help';
}
