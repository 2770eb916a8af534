import { randomUUID } from 'node:crypto';

import type { CodecName } from '../codec/index.js';
import { silentLog, toError } from '../core/index.js';
import { orphanGuard, ProcessFolder } from '../worker/index.js';
import { Bridge } from './bridge.js';
import type { BridgeProgram, BridgeProtocol } from './bridge-program.js';
import { casesOf } from './cases/index.js';
import {
  GROUPS,
  NotClaimed,
  type ConformanceCase,
  type Group,
  type OwnCase,
  type RiskyCase,
  type SharedCase,
} from './conformance-case.js';
import { ConformanceFailure } from './conformance-failure.js';
import type { CaseReport, CaseVerdict, ConformanceReport } from './conformance-report.js';
import { Mismatch } from './mismatch.js';
import { splitCommand } from './split-command.js';
import { loadValueVectors } from './vectors.js';
import type { Manifest, WireSettings } from './wires/wire.js';

export interface ConformanceOptions {
  /** The command line of the bridge's conformance worker; no shell has a say. */
  readonly command: string;
  readonly protocol: BridgeProtocol;
  /** Absent: what the bridge picks of both. */
  readonly codec?: CodecName | undefined;
  /** Environment variables for the bridge. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its working directory. */
  readonly cwd?: string | undefined;
  /** Only cases of these groups. Default: all. */
  readonly groups?: readonly Group[] | undefined;
  /** How long an answer may take, in milliseconds. Default: 10000. */
  readonly answerMs?: number;
  /** How many processes run at the same time for cases of their own. Default: 2. */
  readonly parallel?: number;
}

/** Small limits, so that they can be reached; a vector of depth 64 has room within the map around it. */
const SETTINGS = { maxFrameBytes: 1024 * 1024, maxDepth: 65, streamCredit: 4 };

/**
 * Drives a bridge through all cases of its protocol.
 *
 * @throws ConformanceFailure when the check cannot take place: no command, no process, no handshake
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const { command, protocol, codec, env = {}, cwd, groups = GROUPS, answerMs = 10_000, parallel = 2 } = options;
  const words = splitCommand(command);
  // Many of its processes are killed, and cannot tidy up.
  const folder = new ProcessFolder();
  const itsEnv = { TMPDIR: folder.path, ...env };
  const program: BridgeProgram = { words, protocol, env: itsEnv, cwd, instance: randomUUID() };
  const codecs: readonly CodecName[] = codec === undefined ? ['msgpack', 'json'] : [codec];
  orphanGuard.open(program.instance, silentLog);
  try {
    return await new Conformance(program, { ...SETTINGS, codecs, answerMs }, parallel).report(command, groups);
  } finally {
    await orphanGuard.close(program.instance);
    await folder.remove();
  }
}

/** One run: cases that share a process go one after the other, those that have their own beside them. */
class Conformance {
  readonly #verdicts = new Map<ConformanceCase, CaseVerdict>();

  constructor(
    private readonly program: BridgeProgram,
    private readonly settings: WireSettings,
    private readonly parallel: number,
  ) {}

  async report(command: string, groups: readonly Group[]): Promise<ConformanceReport> {
    const first = await this.#firstContact();
    const { manifest } = first;
    const all = casesOf(this.program.protocol, manifest.codec, loadValueVectors());
    const cases = all.filter(({ group }) => groups.includes(group));
    for (const each of cases) {
      const reason = unclaimedReason(each, manifest);
      if (reason !== undefined) this.#verdicts.set(each, { kind: 'not claimed', reason });
    }
    const open = cases.filter((each) => !this.#verdicts.has(each));
    await Promise.all([
      this.#runShared(
        open.filter((each): each is SharedCase => (each.kind ?? 'shared') === 'shared'),
        first,
      ),
      this.#runRisky(open.filter((each): each is RiskyCase => each.kind === 'risky')),
      this.#runOwn(
        open.filter((each): each is OwnCase => each.kind === 'own'),
        manifest.codec,
      ),
    ]);
    return summary(
      command,
      this.program.protocol,
      manifest,
      cases.map((each) => this.#reportOf(each)),
    );
  }

  /** @throws ConformanceFailure with what the process said last */
  async #firstContact(): Promise<Bridge> {
    const bridge = new Bridge(this.program, this.settings);
    try {
      await bridge.connect();
      return bridge;
    } catch (error) {
      bridge.end();
      if (error instanceof ConformanceFailure) throw error;
      const { protocol } = this.program;
      const [codec, ...others] = this.settings.codecs;
      const how = others.length > 0 ? protocol : `${protocol} with ${codec}`;
      const stderr = bridge.process.lines.stderr.slice(-10).map((line) => `\n    ${line}`);
      const said = stderr.length === 0 ? '' : `\n  Its last words on stderr:${stderr.join('')}`;
      throw new ConformanceFailure(
        `There is no handshake over ${how}: ${toError(error).message}.\n  ${REMEDIES[protocol]}${said}`,
      );
    }
  }

  async #runShared(cases: readonly SharedCase[], first: Bridge): Promise<void> {
    let bridge: Bridge | undefined = first;
    for (const each of cases) {
      await this.#judge(each, async () => {
        bridge ??= await Bridge.open(this.program, this.settings);
        await each.run(bridge);
        if (bridge.violation !== undefined) throw new Mismatch('no breach of the protocol', bridge.violation);
      });
      // What failed may have left anything behind.
      if (this.#verdicts.get(each)?.kind !== 'failed') continue;
      bridge?.end();
      bridge = undefined;
    }
    bridge?.end();
  }

  async #runRisky(cases: readonly RiskyCase[]): Promise<void> {
    let bridge: Bridge | undefined;
    for (const each of cases) {
      await this.#judge(each, async () => {
        bridge ??= await Bridge.open(this.program, this.settings);
        await each.run(bridge);
        if (bridge.violation !== undefined) throw new Mismatch('no breach of the protocol', bridge.violation);
      });
      const isGood = bridge !== undefined && !bridge.wire.isClosed && bridge.process.exit === undefined;
      if (isGood && this.#verdicts.get(each)?.kind !== 'failed') continue;
      bridge?.end();
      bridge = undefined;
    }
    bridge?.end();
  }

  async #runOwn(cases: readonly OwnCase[], codec: CodecName): Promise<void> {
    const waiting = [...cases];
    const lane = async (): Promise<void> => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
        await this.#runAlone(each, codec);
      }
    };
    await Promise.all(Array.from({ length: this.parallel }, lane));
  }

  async #runAlone(each: OwnCase, codec: CodecName): Promise<void> {
    const bridges: Bridge[] = [];
    const { program } = this;
    // What was negotiated by v1 is negotiated each time.
    const settings = program.protocol === 'v1' ? this.settings : { ...this.settings, codecs: [codec] };
    const spawn = (more: Partial<WireSettings> = {}): Bridge => {
      const bridge = new Bridge(program, { ...settings, ...more });
      bridges.push(bridge);
      return bridge;
    };
    const open = async (more: Partial<WireSettings> = {}): Promise<Bridge> => {
      const bridge = spawn(more);
      await bridge.connect();
      return bridge;
    };
    await this.#judge(each, async () => await each.run({ program, settings, codec, spawn, open }));
    for (const bridge of bridges) bridge.end();
  }

  async #judge(each: ConformanceCase, run: () => Promise<void>): Promise<void> {
    this.#verdicts.set(each, await verdictOf(run));
  }

  #reportOf(each: ConformanceCase): CaseReport {
    const { group, name } = each;
    const verdict = this.#verdicts.get(each);
    if (verdict === undefined) throw new Error(`the case '${name}' was not run`);
    return { group, name, verdict };
  }
}

const REMEDIES: Readonly<Record<BridgeProtocol, string>> = {
  v2: 'Does the command start a conformance worker that speaks v2 on the descriptor that SNAKEPIT_FD names? Else say --protocol v1 or grpc.',
  v1: 'Does the command start a conformance worker that speaks v1 on stdin and stdout? Else say --protocol v2 or grpc, or its --codec.',
  grpc: 'Does the command start a conformance worker that serves snakepit.v2.Worker, and answers on its lifeline? Else say --protocol v2 or v1.',
};

function unclaimedReason(each: ConformanceCase, manifest: Manifest): string | undefined {
  const names = manifest.commands?.map(({ name }) => name);
  const missing = names === undefined ? [] : (each.commands ?? []).filter((command) => !names.includes(command));
  if (missing.length > 0) return `the manifest has no ${missing.join(', ')}`;
  return each.unclaimed?.(manifest);
}

async function verdictOf(run: () => Promise<void>): Promise<CaseVerdict> {
  try {
    await run();
    return { kind: 'passed' };
  } catch (error) {
    if (error instanceof NotClaimed) return { kind: 'not claimed', reason: error.message };
    if (error instanceof Mismatch) return { kind: 'failed', expected: error.expected, got: error.got };
    return { kind: 'failed', expected: 'the case to come to its end', got: toError(error).message };
  }
}

function summary(
  command: string,
  protocol: BridgeProtocol,
  { codec, language, runtime, sdk }: Manifest,
  cases: readonly CaseReport[],
): ConformanceReport {
  const claimed = cases.filter(({ verdict }) => verdict.kind !== 'not claimed');
  const passed = claimed.filter(({ verdict }) => verdict.kind === 'passed');
  const bridge = language !== undefined && runtime && sdk ? { language, runtime, sdk } : null;
  return { command, protocol, codec, bridge, passed: passed.length, claimed: claimed.length, cases };
}
