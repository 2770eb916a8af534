import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { ProtocolViolation } from '../../codec/index.js';
import { fuzz } from './fuzz.js';
import { loadSeeds } from './seeds.js';
import { TARGETS, type Target } from './targets.js';

const seeds = loadSeeds(fileURLToPath(new URL('../../../../..', import.meta.url)));

describe('mutated bytes', () => {
  // The long run over millions is `fuzzDecoders` in test/chaos/groups/fuzz.mjs.
  it.each(TARGETS)('are read, or refused as a violation, in time and in bounded memory: $name', (target) => {
    const { findings, acceptedShare } = fuzz({ seed: 1, cycles: 6_000, seeds, targets: [target] });
    expect(findings).toEqual([]);
    // Mutants that are all refused at their first byte would find nothing.
    expect(acceptedShare).toBeGreaterThan(0.01);
  });
});

describe('the fuzzer', () => {
  const target = (decode: Target['decode']): Target => ({ name: 'bad', seeds: ['json'], decode });
  const problems = (decode: Target['decode']): string[] =>
    fuzz({ seed: 1, cycles: 4, seeds: { ...seeds, kept: [] }, targets: [target(decode)] }).findings.map(
      ({ problem }) => problem,
    );

  it('finds an error of another class', () => {
    expect(problems(() => JSON.parse('{'))[0]).toContain('threw SyntaxError');
  });

  it('finds memory that the input does not account for', () => {
    const decode = (): never => {
      Buffer.alloc(16 * 1024 * 1024);
      throw new ProtocolViolation('after all');
    };
    expect(problems(decode)[0]).toContain('allocated');
  });

  it('finds values that are larger than their input accounts for', () => {
    expect(problems(() => Array.from({ length: 300_000 }, () => ({})))[0]).toContain('made');
  });

  it('finds what takes too long', () => {
    const decode = (): void => {
      const end = performance.now() + 160;
      while (performance.now() < end);
    };
    const { findings } = fuzz({ seed: 1, cycles: 2, seeds: { ...seeds, kept: [] }, targets: [target(decode)] });
    expect(findings[0]!.problem).toContain('took');
  });

  it('finds a changed prototype', () => {
    const decode = (): object => Object.create({ inherited: true }) as object;
    expect(problems(decode)[0]).toContain('prototype');
  });

  it('makes the same bytes of the same seed', () => {
    const fed = (): string[] => {
      const inputs: string[] = [];
      fuzz({ seed: 7, cycles: 64, seeds, targets: [target((bytes) => void inputs.push(bytes.toString('hex')))] });
      return inputs;
    };
    expect(fed()).toEqual(fed());
  });
});
