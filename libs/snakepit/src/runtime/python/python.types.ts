import type { ExecuteOptions } from '../pool-service.js';
import type { DataFrame } from './data-frame.js';
import type { PythonRef, StoredObject } from './values.js';

/** What a call is made of: a dotted name, `math.sqrt` or `model.fit`, or a stored object. */
export type PythonTarget = string | PythonRef;
export type PythonArgs = readonly unknown[];
export type PythonKwargs = Readonly<Record<string, unknown>>;

export type PythonCallOptions = Omit<ExecuteOptions, 'pool' | 'input'>;

/** Keeps the result in the session's worker, by this name. */
export interface StoreAs {
  readonly storeAs: string;
}

export interface PipelineStep {
  readonly target: PythonTarget;
  /** Leaves no doubt in errors which step is meant. */
  readonly name?: string;
  readonly args?: PythonArgs;
  readonly kwargs?: PythonKwargs;
  /** Keeps the step's result, for later steps and later calls. */
  readonly storeAs?: string;
}

export interface PipelineResult<Result = unknown> {
  /** What the last step returned; undefined where that was stored. */
  readonly value: Result;
  readonly stored: readonly StoredObject[];
}

export interface Inspection {
  readonly target: string;
  readonly kind: 'module' | 'class' | 'function' | 'value' | 'property';
  readonly type: string;
  readonly doc: string;
  /** Of what can be called, where Python knows it. */
  readonly signature?: string;
  readonly parameters?: readonly InspectedParameter[];
  readonly members: readonly { readonly name: string; readonly kind: string }[];
}

export interface InspectedParameter {
  readonly name: string;
  readonly kind: string;
  readonly default?: string;
  readonly annotation?: string;
}

export interface PythonInfo {
  readonly python: string;
  readonly platform: string;
  readonly pid: number;
  readonly allow: readonly string[];
  readonly permit: readonly string[];
  readonly packages: Readonly<Record<string, string>>;
  readonly limits: { readonly maxObjects: number; readonly maxBytes: number; readonly maxValues: number };
  /** What the call's session stores. */
  readonly objects: number;
  readonly bytes: number;
}

/** Where a table comes from. `file` is a path in one of the folders that `enhanced.read` names. */
export type TableSource =
  | DataFrame
  | { readonly csv: string | Uint8Array }
  | { readonly json: string | Uint8Array }
  | { readonly parquet: Uint8Array }
  | { readonly records: readonly Readonly<Record<string, unknown>>[] }
  | { readonly columns: DataFrame | Readonly<Record<string, unknown>> }
  | { readonly file: string };

/** What a model learns from: a table with the column to be learned, or inputs and what is expected of them. */
export interface TrainingData {
  readonly data: PythonRef | DataFrame | { readonly X: unknown; readonly y?: unknown };
  /** The column to be learned. */
  readonly target?: string;
  /** The columns to learn from; default all others. */
  readonly features?: readonly string[];
  /** Named arguments of the model's `fit`. */
  readonly params?: PythonKwargs;
}

export interface TrainingResult {
  readonly model: string;
  readonly rows: number;
  readonly features: readonly string[] | null;
  readonly seconds: number;
  /** What the model's own `score` says of the data that it has learned from. */
  readonly score?: number;
}

export interface PredictOptions {
  /** Default `predict`. */
  readonly method?:
    | 'predict'
    | 'predict_proba'
    | 'predict_log_proba'
    | 'decision_function'
    | 'transform'
    | 'score_samples'
    | 'fit_predict';
  readonly features?: readonly string[];
}
