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
import { handshakeFailure } from './handshake-failure.js';
import { Mismatch, Silence } from './mismatch.js';
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
  /** How long a bridge may take to its hello, in milliseconds. Default: 30000. */
  readonly helloMs?: number;
  /** How many processes run at the same time for cases of their own. Default: 2. */
  readonly parallel?: number;
  /** Told of each case that begins or ends. */
  readonly onProgress?: (progress: ConformanceProgress) => void;
}

/** How far a run has come. */
export interface ConformanceProgress {
  readonly ended: number;
  /** 0 while the first handshake is awaited: what there is to check depends on it. */
  readonly total: number;
  readonly failed: number;
  /** Names of the cases that run. */
  readonly running: readonly string[];
}

/** Small limits, so that they can be reached; a vector of depth 64 has room within the map around it. */
const SETTINGS = { maxFrameBytes: 1024 * 1024, maxDepth: 65, streamCredit: 4 };
/** So many cases in a row without an answer say that there will be none, whatever a new process still answers. */
const MAX_SILENCES = 10;

/**
 * Drives a bridge through all cases of its protocol, until it stops answering for good.
 *
 * @throws ConformanceFailure when the check cannot take place: no command, no process, no handshake
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const { command, protocol, codec, env = {}, cwd, groups = GROUPS } = options;
  const { answerMs = 10_000, helloMs = 30_000, parallel = 2, onProgress = () => {} } = options;
  const words = splitCommand(command);
  // Many of its processes are killed, and cannot tidy up.
  const folder = new ProcessFolder();
  const itsEnv = { TMPDIR: folder.path, ...env };
  const program: BridgeProgram = { words, protocol, env: itsEnv, cwd, instance: randomUUID() };
  const codecs: readonly CodecName[] = codec === undefined ? ['msgpack', 'json'] : [codec];
  orphanGuard.open(program.instance, silentLog);
  try {
    const settings = { ...SETTINGS, codecs, answerMs, helloMs };
    return await new Conformance(program, settings, { parallel, onProgress }).report(command, groups);
  } finally {
    await orphanGuard.close(program.instance);
    await folder.remove();
  }
}

/** One run: cases that share a process go one after the other, those that have their own beside them. */
class Conformance {
  readonly #verdicts = new Map<ConformanceCase, CaseVerdict>();
  readonly #running = new Set<string>();
  readonly #bridges = new Set<Bridge>();
  #total = 0;
  /** Cases without an answer since the last that had one. */
  #silences = 0;
  /** Why no further case is run. */
  #stopped: string | undefined;

  constructor(
    private readonly program: BridgeProgram,
    private readonly settings: WireSettings,
    private readonly how: Required<Pick<ConformanceOptions, 'parallel' | 'onProgress'>>,
  ) {}

  async report(command: string, groups: readonly Group[]): Promise<ConformanceReport> {
    this.#tell();
    const first = await this.#contact();
    const { manifest } = first;
    const all = casesOf(this.program.protocol, manifest.codec, loadValueVectors());
    const cases = all.filter(({ group }) => groups.includes(group));
    for (const each of cases) {
      const reason = unclaimedReason(each, manifest);
      if (reason !== undefined) this.#verdicts.set(each, { kind: 'not claimed', reason });
    }
    this.#total = cases.length;
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
      this.#stopped,
    );
  }

  async #runShared(cases: readonly SharedCase[], first: Bridge): Promise<void> {
    let bridge: Bridge | undefined = first;
    for (const each of cases) {
      await this.#judge(each, async () => {
        bridge ??= await this.#open();
        await each.run(bridge);
        if (bridge.violation !== undefined) throw new Mismatch('no breach of the protocol', bridge.violation);
      });
      // What failed may have left anything behind.
      if (this.#verdicts.get(each)?.kind !== 'failed') continue;
      this.#end(bridge);
      bridge = undefined;
    }
    this.#end(bridge);
  }

  async #runRisky(cases: readonly RiskyCase[]): Promise<void> {
    let bridge: Bridge | undefined;
    for (const each of cases) {
      await this.#judge(each, async () => {
        bridge ??= await this.#open();
        await each.run(bridge);
        if (bridge.violation !== undefined) throw new Mismatch('no breach of the protocol', bridge.violation);
      });
      const isGood = bridge !== undefined && !bridge.wire.isClosed && bridge.process.exit === undefined;
      if (isGood && this.#verdicts.get(each)?.kind !== 'failed') continue;
      this.#end(bridge);
      bridge = undefined;
    }
    this.#end(bridge);
  }

  async #runOwn(cases: readonly OwnCase[], codec: CodecName): Promise<void> {
    const waiting = [...cases];
    const lane = async (): Promise<void> => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
        await this.#runAlone(each, codec);
      }
    };
    await Promise.all(Array.from({ length: this.how.parallel }, lane));
  }

  async #runAlone(each: OwnCase, codec: CodecName): Promise<void> {
    const bridges: Bridge[] = [];
    const { program } = this;
    // What was negotiated by v1 is negotiated each time.
    const settings = program.protocol === 'v1' ? this.settings : { ...this.settings, codecs: [codec] };
    const spawn = (more: Partial<WireSettings> = {}): Bridge => {
      const bridge = this.#spawn({ ...settings, ...more });
      bridges.push(bridge);
      return bridge;
    };
    const open = async (more: Partial<WireSettings> = {}): Promise<Bridge> => {
      const bridge = spawn(more);
      await bridge.connect();
      return bridge;
    };
    await this.#judge(each, async () => await each.run({ program, settings, codec, spawn, open }));
    for (const bridge of bridges) this.#end(bridge);
  }

  // --- processes -----------------------------------------------------------------------------------

  /** @throws Mismatch when there is no handshake */
  async #open(): Promise<Bridge> {
    return await this.#connected((_, error) => error);
  }

  /** @throws ConformanceFailure when there is no handshake, with all that is known of it */
  async #contact(): Promise<Bridge> {
    return await this.#connected((bridge, error) => handshakeFailure(bridge, this.program.protocol, error));
  }

  async #connected(explain: (bridge: Bridge, error: unknown) => unknown): Promise<Bridge> {
    const bridge = this.#spawn(this.settings);
    try {
      await bridge.connect();
      return bridge;
    } catch (error) {
      const failure = explain(bridge, error);
      this.#end(bridge);
      throw failure;
    }
  }

  #spawn(settings: WireSettings): Bridge {
    if (this.#stopped !== undefined) throw new ConformanceFailure(this.#stopped);
    const bridge = new Bridge(this.program, settings);
    this.#bridges.add(bridge);
    return bridge;
  }

  #end(bridge: Bridge | undefined): void {
    if (bridge === undefined || !this.#bridges.delete(bridge)) return;
    bridge.end();
  }

  // --- verdicts ------------------------------------------------------------------------------------

  async #judge(each: ConformanceCase, run: () => Promise<void>): Promise<void> {
    if (this.#stopped !== undefined) return;
    this.#running.add(each.name);
    this.#tell();
    try {
      await run();
      this.#settle(each, { kind: 'passed' });
      this.#silences = 0;
    } catch (error) {
      this.#settle(each, verdictOf(error));
      if (error instanceof Silence) await this.#heedSilence(each);
      else this.#silences = 0;
    }
    this.#running.delete(each.name);
    this.#tell();
  }

  /** What ends a run is the fault of one case; others that end by it were not run. */
  #settle(each: ConformanceCase, verdict: CaseVerdict): void {
    if (this.#stopped === undefined) this.#verdicts.set(each, verdict);
  }

  /** Stops the run if the bridge has stopped answering altogether, so that not each case waits in vain. */
  async #heedSilence(each: ConformanceCase): Promise<void> {
    this.#silences += 1;
    if (this.#silences >= MAX_SILENCES) {
      return this.#stop(each, `The bridge has left ${this.#silences} cases in a row without an answer.`);
    }
    try {
      const bridge = await this.#contact();
      await bridge.outcome(bridge.wire.call({ command: 'add', args: { a: 20, b: 22 } }), 'an answer to add');
      this.#end(bridge);
    } catch (error) {
      if (error instanceof Mismatch) this.#stop(each, `A new process shakes hands, then: ${error.message}.`);
      else this.#stop(each, toError(error).message);
    }
  }

  /** Ends the processes, too: whoever waits for one of them need not wait any longer. */
  #stop({ name }: ConformanceCase, reason: string): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = `The bridge answers no more, as of the case '${name}'. ${reason}`;
    for (const bridge of this.#bridges) this.#end(bridge);
  }

  #tell(): void {
    const verdicts = [...this.#verdicts.values()];
    const failed = verdicts.filter(({ kind }) => kind === 'failed').length;
    this.how.onProgress({ ended: verdicts.length, total: this.#total, failed, running: [...this.#running] });
  }

  #reportOf(each: ConformanceCase): CaseReport {
    const { group, name } = each;
    const verdict = this.#verdicts.get(each) ?? (this.#stopped === undefined ? undefined : NOT_RUN);
    if (verdict === undefined) throw new Error(`the case '${name}' was not run`);
    return { group, name, verdict };
  }
}

const NOT_RUN: CaseVerdict = { kind: 'not run' };

function unclaimedReason(each: ConformanceCase, manifest: Manifest): string | undefined {
  const names = manifest.commands?.map(({ name }) => name);
  const missing = names === undefined ? [] : (each.commands ?? []).filter((command) => !names.includes(command));
  if (missing.length > 0) return `the manifest has no ${missing.join(', ')}`;
  return each.unclaimed?.(manifest);
}

function verdictOf(error: unknown): CaseVerdict {
  if (error instanceof NotClaimed) return { kind: 'not claimed', reason: error.message };
  if (error instanceof Mismatch) return { kind: 'failed', expected: error.expected, got: error.got };
  return { kind: 'failed', expected: 'the case to come to its end', got: toError(error).message };
}

function summary(
  command: string,
  protocol: BridgeProtocol,
  { codec, language, runtime, sdk }: Manifest,
  cases: readonly CaseReport[],
  stopped: string | undefined,
): ConformanceReport {
  const claimed = cases.filter(({ verdict }) => verdict.kind !== 'not claimed');
  const passed = claimed.filter(({ verdict }) => verdict.kind === 'passed');
  const bridge = language !== undefined && runtime && sdk ? { language, runtime, sdk } : null;
  return { command, protocol, codec, bridge, passed: passed.length, claimed: claimed.length, cases, stopped };
}
