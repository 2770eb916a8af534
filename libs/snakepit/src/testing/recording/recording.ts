import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import type { CommandManifest } from '../../channel/index.js';
import { SnakepitError, toError } from '../../core/index.js';
import type { JsonValue } from './json-value.js';

export const RECORDING_FORMAT = 'snakepit-recording/1';

/** What a worker says of a call before it is over, in order. */
export type RecordedStep =
  | { readonly item: JsonValue; readonly afterMs?: number }
  | { readonly progress: JsonValue; readonly afterMs?: number }
  /** What the command had its host do: change data of a session, call a tool. */
  | { readonly ask: { readonly method: string; readonly args: JsonValue }; readonly afterMs?: number };

export interface RecordedError {
  readonly code: string;
  readonly type?: string;
  readonly message: string;
  readonly traceback?: string;
  readonly data?: JsonValue;
}

/** One call and what came of it. */
export interface RecordedCall {
  readonly command: string;
  readonly kind: 'call' | 'stream';
  readonly args: JsonValue;
  /** Where there are steps that are no items. */
  readonly steps?: readonly RecordedStep[];
  /** Where all steps are items and no times are kept. */
  readonly items?: readonly JsonValue[];
  readonly afterMs?: number;
  /** One of these is there. */
  readonly result?: JsonValue;
  readonly error?: RecordedError;
  /** A stream has given all; or its consumer has left. */
  readonly end?: 'complete' | 'left';
}

/** What a file holds. */
export interface Recording {
  readonly format: typeof RECORDING_FORMAT;
  readonly commands: readonly CommandManifest[];
  readonly calls: readonly RecordedCall[];
}

/** Calls that ask for the same: served in the order in which they were made. */
export function keyOf({ command, kind, args }: Pick<RecordedCall, 'command' | 'kind' | 'args'>): string {
  return JSON.stringify([command, kind, args]);
}

export function stepsOf({ steps, items }: RecordedCall): readonly RecordedStep[] {
  return steps ?? (items ?? []).map((item) => ({ item }));
}

/** @throws SnakepitError MISUSE for a file that is not there or is no recording, with what to do */
export function readRecording(file: string): Recording {
  let recording: Partial<Recording>;
  try {
    recording = JSON.parse(readFileSync(file, 'utf8')) as Partial<Recording>;
  } catch (error) {
    const reason = `The recording ${file} cannot be read (${toError(error).message}). Make it by record(adapter, { file }), or run once with SNAKEPIT_REFRESH=1.`;
    throw new SnakepitError('MISUSE', { reason }, { cause: error });
  }
  if (recording?.format === RECORDING_FORMAT && Array.isArray(recording.calls)) return recording as Recording;
  const reason = `${file} is no recording: its 'format' is ${JSON.stringify(recording?.format)}, not '${RECORDING_FORMAT}'. Record it anew.`;
  throw new SnakepitError('MISUSE', { reason });
}

/** Whoever reads it meanwhile sees the old or the new one. */
export function writeRecording(file: string, recording: Recording): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(recording, null, 2)}\n`);
  renameSync(draft, file);
}
