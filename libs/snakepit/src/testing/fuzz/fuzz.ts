import { getHeapStatistics } from 'node:v8';

import { ProtocolViolation } from '../../codec/index.js';
import { Random } from '../simulation/random.js';
import { Mutator } from './mutator.js';
import type { Seeds } from './seeds.js';
import { MAX_FRAME_BYTES, TARGETS, type Target } from './targets.js';
import { retainedBytes } from './yardstick.js';

export interface FuzzInput {
  readonly seed: number;
  /** Mutated inputs for each decoder. */
  readonly cycles: number;
  readonly seeds: Seeds;
  readonly targets?: readonly Target[];
  readonly progress?: (target: string, done: number) => void;
}

export interface FuzzFinding {
  readonly target: string;
  readonly problem: string;
  /** Of the input, at most its first 4096 bytes. */
  readonly hex: string;
  readonly choice: number;
}

export interface FuzzFigures {
  /** Fed to each decoder. */
  readonly frames: number;
  /** Inputs that were read as a value, of all. */
  readonly acceptedShare: number;
  readonly findings: readonly FuzzFinding[];
}

const BATCH = 64;
/** Far more than any input takes, and far less than what looks like a hang. */
const MAX_MS = 150;
/** What may be allocated for an input, whatever its size: an error with its stack, a reader, a frame's buffer. */
const BASE_BYTES = 16 * 1024;
/** The most a byte of input may turn into: an empty map, or a list, in MessagePack. */
const BYTES_PER_BYTE = 256;
const MAX_FINDINGS = 20;

/**
 * Feeds mutated bytes to every decoder: it must return or throw ProtocolViolation, within time, and allocate no more than the
 * input's size accounts for.
 */
export function fuzz({ seed, cycles, seeds, targets = TARGETS, progress }: FuzzInput): FuzzFigures {
  const findings: FuzzFinding[] = [];
  let accepted = 0;
  for (const target of targets) {
    const run = new TargetRun(target, seeds, seed, findings);
    run.feedKept();
    for (let done = 0; done < cycles && findings.length < MAX_FINDINGS; done += BATCH) {
      accepted += run.feedBatch(Math.min(BATCH, cycles - done));
      if (done % (BATCH * 1_024) === 0) progress?.(target.name, done);
    }
  }
  return { frames: cycles, acceptedShare: accepted / Math.max(1, cycles * targets.length), findings };
}

interface Input {
  readonly bytes: Buffer;
  readonly choice: number;
}

class TargetRun {
  readonly #random: Random;
  readonly #mutator: Mutator;

  constructor(
    private readonly target: Target,
    private readonly seeds: Seeds,
    seed: number,
    private readonly findings: FuzzFinding[],
  ) {
    this.#random = new Random(seed);
    this.#mutator = new Mutator(
      this.#random,
      target.seeds.flatMap((kind) => seeds.byKind[kind]),
    );
  }

  /** The corpus as it is, each input alone. */
  feedKept(): void {
    for (const { for: kinds, bytes } of this.seeds.kept) {
      if (!kinds.some((kind) => this.target.seeds.includes(kind))) continue;
      for (let choice = 0; choice < 4; choice += 1) this.#measured([{ bytes, choice }]);
    }
  }

  /** How many of them were read as a value. */
  feedBatch(count: number): number {
    const inputs = Array.from({ length: count }, () => ({
      bytes: this.#mutator.next(),
      choice: this.#random.integer(0, 0xffff),
    }));
    return this.#measured(inputs);
  }

  #measured(inputs: readonly Input[]): number {
    const allowed = inputs.reduce((sum, { bytes }) => sum + allowance(bytes), 0);
    const before = allocated();
    const start = performance.now();
    let accepted = 0;
    for (const input of inputs) if (this.#decode(input)) accepted += 1;
    const isSlow = performance.now() - start > MAX_MS;
    const isLarge = allocated() - before > allowed;
    if (isSlow || isLarge) for (const input of inputs) this.#lookCloser(input);
    if (({} as Record<string, unknown>)['polluted'] !== undefined)
      this.#report(inputs[0]!, 'Object.prototype was changed');
    return accepted;
  }

  #decode(input: Input): boolean {
    let value: unknown;
    try {
      value = this.target.decode(input.bytes, input.choice);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) this.#report(input, `threw ${String(error)}`);
      return false;
    }
    try {
      const bytes = retainedBytes(value);
      if (bytes > allowance(input.bytes)) this.#report(input, `made ${bytes} bytes of ${input.bytes.length}`);
    } catch (error) {
      this.#report(input, String(error));
    }
    return true;
  }

  /** Which one of a batch it was. The machine may make it slow, and the collector hide what it allocated, so it is tried three times. */
  #lookCloser(input: Input): void {
    let [leastMs, mostBytes] = [Infinity, 0];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const before = allocated();
      const start = performance.now();
      try {
        this.target.decode(input.bytes, input.choice);
      } catch {
        // What it throws has been looked at.
      }
      leastMs = Math.min(leastMs, performance.now() - start);
      mostBytes = Math.max(mostBytes, allocated() - before);
    }
    if (leastMs > MAX_MS) this.#report(input, `took ${Math.round(leastMs)} ms`);
    if (mostBytes > allowance(input.bytes))
      this.#report(input, `allocated ${mostBytes} bytes for ${input.bytes.length}`);
  }

  #report({ bytes, choice }: Input, problem: string): void {
    const hex = bytes.subarray(0, 4_096).toString('hex');
    this.findings.push({ target: this.target.name, problem: problem.slice(0, 300), hex, choice });
  }
}

/** A header alone may claim a frame of the greatest size, for which the reader then has a buffer ready. */
function allowance(bytes: Buffer): number {
  return BASE_BYTES + MAX_FRAME_BYTES + BYTES_PER_BYTE * bytes.length;
}

function allocated(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
