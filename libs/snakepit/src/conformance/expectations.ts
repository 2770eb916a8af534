import { isDeepStrictEqual } from 'node:util';

import type { ErrorBody } from '../codec/index.js';
import { describeOutcome, type Bridge } from './bridge.js';
import { NotClaimed } from './conformance-case.js';
import { check } from './mismatch.js';
import type { CallOrder, Outcome } from './open-call.js';
import { show } from './show.js';

/** @throws Mismatch unless both are the same, types and all */
export function same(got: unknown, wanted: unknown, what?: string): void {
  check(isDeepStrictEqual(got, wanted), what ?? show(wanted), () => show(got));
}

/** @throws Mismatch unless the error has this code */
export function hasCode(error: ErrorBody, code: string): void {
  check(error.code === code, `an error with the code ${code}`, () => `${error.code}: ${error.message}`);
}

/** @throws Mismatch unless the call ended as a cancelled one may */
export function isCancelled(outcome: Outcome): void {
  const isSo = outcome.kind === 'end' || (outcome.kind === 'error' && outcome.error.code === 'CANCELLED');
  check(isSo, 'an error with the code CANCELLED, or the end of the stream', () => describeOutcome(outcome));
}

/**
 * Makes a call whose arguments do not fit, which must be answered by one of these codes.
 *
 * @throws NotClaimed where it is not and the manifest has a schema, by which the host would have refused it
 */
export async function isMisfit(bridge: Bridge, order: CallOrder, codes: readonly string[]): Promise<void> {
  const outcome = await bridge.outcome(bridge.wire.call(order));
  if (outcome.kind === 'error' && codes.includes(outcome.error.code)) return;
  const { schema } = bridge.manifest.commands?.find(({ name }) => name === order.command) ?? {};
  if (schema !== undefined) throw new NotClaimed('the host checks by the schema in the manifest');
  check(false, `an error with the code ${codes.join(' or ')}`, () => describeOutcome(outcome));
}

/** 0 to n - 1. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index);
}

/** What `make_bytes` returns. */
export function patternOf(n: number): Buffer {
  return Buffer.from(upTo(n).map((index) => index % 251));
}
