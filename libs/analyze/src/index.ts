/** The semantic checks of `istioctl analyze`, under Istio's codes: pure functions over config objects. */
export { analyze, documentationUrl } from './frame/analyze.js';
export { analyzeReferences, toDiagnostic } from './frame/analyze-references.js';
export { analyzers } from './frame/analyzers.js';
export type { Analyzer, AnalyzeInput, AnalyzeOptions, Finding } from './frame/finding.js';
export { isSuppressed, readSuppressions } from './frame/suppressions.js';
export type { Level, MessageType } from './messages/message-type.js';
export { type MessageCode, type MessageName, messageTypes } from './messages/message-types.js';
export { type AnalysisItem, type AnalysisJson, toAnalysisJson } from './output/analysis-json.js';
export { type SarifLog, toSarif } from './output/sarif.js';
