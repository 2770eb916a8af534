export type { BridgeProtocol } from './bridge-program.js';
export { GROUPS, type Group } from './conformance-case.js';
export { ConformanceFailure } from './conformance-failure.js';
export { renderReport, type CaseReport, type CaseVerdict, type ConformanceReport } from './conformance-report.js';
export { runConformance, type ConformanceOptions, type ConformanceProgress } from './run-conformance.js';
