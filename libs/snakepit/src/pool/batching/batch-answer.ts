import { parseErrorBody, type ErrorBody } from '../../codec/index.js';

/** What a worker says of each call of a batch, in order. */
export type ItemOutcome = { readonly value: unknown } | { readonly error: ErrorBody };

/** What a batch came to: an outcome for each of its calls, or why there is none. */
export type BatchAnswer = { readonly outcomes: readonly ItemOutcome[] } | { readonly problem: string };

/** Reads `[results, errors]`, the result of a batch of `count` calls; see "Batches" in proto/PROTOCOL.md. */
export function readBatchAnswer(answer: unknown, count: number): BatchAnswer {
  if (!Array.isArray(answer) || answer.length !== 2) return { problem: 'the worker answered by no [results, errors]' };
  const [results, errors] = answer as [unknown, unknown];
  if (!Array.isArray(results)) return { problem: 'the worker answered by no list of results' };
  if (results.length !== count) return { problem: wrongCount(results.length, count) };
  const outcomes: ItemOutcome[] = results.map((value: unknown) => ({ value }));
  if (errors === null) return { outcomes };
  if (!Array.isArray(errors)) return { problem: 'the worker answered by no list of errors' };
  for (const entry of errors as unknown[]) {
    const [index, body] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (!Number.isInteger(index) || !Object.hasOwn(outcomes, index as number)) {
      return { problem: `the worker named an error of no call of the batch of ${count}` };
    }
    outcomes[index as number] = { error: parseErrorBody(body) };
  }
  return { outcomes };
}

function wrongCount(results: number, count: number): string {
  return `${results} results for a batch of ${count} calls; a batch's handler returns one for each call, in order`;
}
