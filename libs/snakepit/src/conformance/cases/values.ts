import { isDeepStrictEqual } from 'node:util';

import type { CodecName } from '../../codec/index.js';
import { describeOutcome, type Bridge } from '../bridge.js';
import { NotClaimed, type ConformanceCase } from '../conformance-case.js';
import { check } from '../mismatch.js';
import type { RawBody } from '../open-call.js';
import { show, showBytes } from '../show.js';
import { fromNotation } from '../../codec/vector-notation.js';
import { hasTag, type RefusedVector, type ValueVector, type ValueVectors } from '../vectors.js';
import { asArgument } from '../wires/raw-body.js';

/** What a bridge goes by that is told no `maxDepth`. */
const DEFAULT_DEPTH = 64;

/** One case for each golden vector. */
export function valueCases(vectors: ValueVectors, codec: CodecName): readonly ConformanceCase[] {
  const echoed = vectors.cases.filter((vector) => vector[codec] !== undefined);
  const refused = vectors.refused.filter((vector) => vector.codec === codec);
  return [
    ...echoed.map((vector) => echoByBytes(vector, codec)),
    ...echoed.filter((vector) => vector.decodeOnly !== true).map(echoByValue),
    ...echoed.map((vector) => echoOverStdio(vector, codec)),
    ...refused.map((vector) => refusal(vector, codec)),
  ];
}

/** v2: the vector's very bytes go there, and are to come back. */
function echoByBytes(vector: ValueVector, codec: CodecName): ConformanceCase {
  const given = bodyOf(vector, codec);
  return {
    group: 'values',
    name: vector.name,
    protocols: ['v2'],
    ...claimOf(vector),
    run: async (bridge) => {
      const body = asArgument(codec, given);
      const outcome = await bridge.outcome(bridge.wire.call({ command: 'echo', body }), 'the value');
      check(outcome.kind === 'result', show(fromNotation(vector.value)), () => describeOutcome(outcome));
      isTheValue(outcome.value, vector);
      if (vector.decodeOnly !== true && outcome.body !== undefined) isInForm(outcome.body, given, codec);
    },
  };
}

/** gRPC: the same, as far as values show it. */
function echoByValue(vector: ValueVector): ConformanceCase {
  const value = fromNotation(vector.value);
  return {
    group: 'values',
    name: vector.name,
    protocols: ['grpc'],
    ...claimOf(vector),
    run: async (bridge) => isTheValue(await bridge.result('echo', { value }), vector),
  };
}

/** v1 has neither tags nor typed arrays. */
function echoOverStdio(vector: ValueVector, codec: CodecName): ConformanceCase {
  const given = bodyOf(vector, codec);
  return {
    group: 'values',
    name: vector.name,
    protocols: ['v1'],
    unclaimed: () => {
      if (given.tagged) return 'v1 has no tagged JSON';
      if (depthOf(vector.value) >= DEFAULT_DEPTH) return 'with the map around it, it is too deep for a bridge of v1';
      return hasTag(vector.value, '$typed') ? 'v1 has no typed arrays' : undefined;
    },
    run: async (bridge) => {
      const body = asArgument(codec, given);
      isTheValue(await bridge.result('echo', undefined, { body }), vector);
    },
  };
}

/** How deep lists lie in each other; a scalar has depth 0. */
function depthOf(value: unknown): number {
  return Array.isArray(value) ? 1 + Math.max(0, ...value.map(depthOf)) : 0;
}

function refusal(vector: RefusedVector, codec: CodecName): ConformanceCase {
  const given = { bytes: Buffer.from(vector.hex, 'hex'), tagged: vector.tagged };
  return {
    group: 'malformed values',
    name: vector.name,
    protocols: ['v2'],
    kind: 'risky',
    run: async (bridge) => {
      const call = bridge.wire.call({ command: 'echo', body: asArgument(codec, given) });
      const expected = 'INVALID_ARGUMENTS, or the end of the connection';
      const end = await bridge.until(expected, () => call.outcome ?? (hasEnded(bridge) ? 'end' : undefined));
      if (end === 'end') return;
      const isRefused = end.kind === 'error' && end.error.code === 'INVALID_ARGUMENTS';
      check(isRefused, expected, () => describeOutcome(end));
      await bridge.checkAlive();
    },
  };
}

function hasEnded({ wire, process, violation }: Bridge): boolean {
  return violation === undefined && (wire.isClosed || process.exit !== undefined);
}

function claimOf(vector: ValueVector): Pick<ConformanceCase, 'unclaimed'> {
  if (!hasTag(vector.value, '$typed')) return {};
  return { unclaimed: ({ typedArrays }) => (typedArrays ? undefined : "the hello does not say 'typedArrays'") };
}

function bodyOf(vector: ValueVector, codec: CodecName): RawBody {
  const body = vector[codec];
  if (body === undefined) throw new NotClaimed(`the vector has no ${codec}`);
  return { bytes: Buffer.from(body.hex, 'hex'), tagged: body.tagged === true };
}

function isTheValue(got: unknown, vector: ValueVector): void {
  const wanted = fromNotation(vector.value);
  check(isDeepStrictEqual(got, wanted), show(wanted), () => show(got));
}

/**
 * Whether the body is in the one form that encoders write. Maps may come in another order, and JSON spells numbers and escapes in
 * several ways; so of MessagePack the length is compared, which tells the shortest form, and of JSON the rest.
 */
function isInForm(got: RawBody, wanted: RawBody, codec: CodecName): void {
  if (wanted.bytes.length === 0 || got.bytes.length === 0) return;
  if (codec === 'msgpack') {
    const isShortest = got.bytes.length === wanted.bytes.length;
    check(isShortest, `the form ${showBytes(wanted.bytes)}`, () => `the same value as ${showBytes(got.bytes)}`);
    return;
  }
  check(got.tagged === wanted.tagged, `JSON ${wanted.tagged ? 'with' : 'without'} TAGGED`, () => {
    return `JSON ${got.tagged ? 'with' : 'without'} it: ${showBytes(got.bytes)}`;
  });
  const text = got.tagged ? got.bytes.subarray(4, 4 + got.bytes.readUInt32BE(0)) : got.bytes;
  const bare = text.toString('utf8').replace(/"(?:[^"\\]|\\.)*"/gu, '""');
  check(!/\s/u.test(bare), 'JSON without white space', () => show(text.toString('utf8')));
}
