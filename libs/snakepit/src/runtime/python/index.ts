export { Column, DataFrame, Series, type ColumnKind, type ColumnValues } from './data-frame.js';
export { NdArray, type DType, type NestedNumbers } from './nd-array.js';
export { ObjectLedger } from './object-ledger.js';
export { PythonCalls } from './python-calls.js';
export { PythonService, PythonSession } from './python-service.js';
export type {
  InspectedParameter,
  Inspection,
  PipelineResult,
  PipelineStep,
  PredictOptions,
  PythonArgs,
  PythonCallOptions,
  PythonInfo,
  PythonKwargs,
  PythonTarget,
  StoreAs,
  TableSource,
  TrainingData,
  TrainingResult,
} from './python.types.js';
export {
  PythonComplex,
  PythonDecimal,
  PythonObject,
  PythonRef,
  PythonTuple,
  ref,
  StoredObject,
  tuple,
} from './values.js';
