import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { SeedKind } from './targets.js';

/** A kept input: pieces in hex, each with how often it stands there in a row. */
interface CorpusCase {
  readonly name: string;
  readonly for: readonly SeedKind[];
  readonly parts: ReadonlyArray<readonly [hex: string, times: number]>;
}

export interface Seeds {
  readonly byKind: Readonly<Record<SeedKind, readonly Buffer[]>>;
  /** Inputs of the corpus: they are fed to their decoders as they are, before anything is mutated. */
  readonly kept: ReadonlyArray<{ readonly name: string; readonly for: readonly SeedKind[]; readonly bytes: Buffer }>;
}

interface ValueCase {
  readonly json?: { readonly hex: string; readonly tagged: boolean };
  readonly msgpack?: { readonly hex: string };
}

interface RefusedValue {
  readonly codec: 'json' | 'msgpack';
  readonly tagged: boolean;
  readonly hex: string;
}

interface FrameCase {
  readonly frame: { readonly kind: number };
  readonly bodyHex: string;
  readonly hex: string;
}

/** @param repository its root, with `proto/vectors` and `test/fuzz/corpus` */
export function loadSeeds(repository: string): Seeds {
  const load = <Content>(path: string): Content => JSON.parse(readFileSync(join(repository, path), 'utf8')) as Content;
  const values = load<{ cases: ValueCase[]; refused: RefusedValue[] }>('proto/vectors/values.json');
  const frames = load<{ cases: FrameCase[] }>('proto/vectors/frames.json').cases;
  const messages = load<{ cases: { codec: string; hex: string }[] }>('proto/vectors/v1.json').cases;
  const bodies = (kind: number): Buffer[] =>
    frames.filter(({ frame, bodyHex }) => frame.kind === kind && bodyHex !== '').map(({ bodyHex }) => unhex(bodyHex));
  const json = (tagged: boolean): Buffer[] => [
    ...values.cases.filter((each) => each.json?.tagged === tagged).map((each) => unhex(each.json!.hex)),
    ...values.refused.filter((each) => each.codec === 'json' && each.tagged === tagged).map(({ hex }) => unhex(hex)),
  ];
  const kept = keptIn(join(repository, 'test/fuzz/corpus'));
  const byKind: Record<SeedKind, Buffer[]> = {
    frames: frames.map(({ hex }) => unhex(hex)),
    messages: messages.map(({ hex }) => unhex(hex)),
    v1: messages.map(({ hex }) => unhex(hex.slice(8))),
    json: json(false),
    tagged: json(true),
    msgpack: [
      ...values.cases.filter((each) => each.msgpack).map((each) => unhex(each.msgpack!.hex)),
      ...values.refused.filter((each) => each.codec === 'msgpack').map(({ hex }) => unhex(hex)),
      ...[0x20, 0x21, 0x25, 0x26, 0x40].flatMap(bodies),
    ],
    hello: bodies(0x01),
    zygote: [0x50, 0x51, 0x52].flatMap(bodies),
    protobuf: kept.filter((each) => each.for.includes('protobuf')).map(({ bytes }) => bytes),
  };
  for (const each of kept) for (const kind of each.for) if (each.bytes.length < 4_096) byKind[kind].push(each.bytes);
  return { byKind, kept };
}

function keptIn(folder: string): Seeds['kept'] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as CorpusCase[])
    .map(({ name, for: kinds, parts }) => ({ name, for: kinds, bytes: Buffer.concat(parts.map(repeated)) }));
}

function repeated([hex, times]: readonly [string, number]): Buffer {
  const unit = unhex(hex);
  return Buffer.alloc(unit.length * times, unit);
}

function unhex(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
