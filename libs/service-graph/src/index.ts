/**
 * The service graph: who calls whom, how often, how fast, and how it goes. What proxies report is counted by edge in
 * windows of time; the counts of any number of mixers add up. No sockets, no clock; where counts live is behind
 * `GraphStore`.
 */
export type { EdgeData } from './edges/edge-totals.js';
export {
  type Edge,
  type EdgeEnd,
  type EdgeIdentity,
  edgeKey,
  edgeOf,
  type Observation,
  type Protocol,
} from './edges/observation.js';
export type { ReportData } from './edges/report-totals.js';
export { buildGraph, type GraphQuestion } from './report/build-graph.js';
export type * from './report/service-graph.js';
export { LogSketch, type SketchData } from './sketch/log-sketch.js';
export type { GraphPartial, GraphStore } from './store/graph-store.js';
export { MemoryGraphStore, type MemoryGraphStoreOptions } from './store/memory-graph-store.js';
export { coarse, fine, type Level, levels, windowStart } from './windows/levels.js';
export { type EdgesRead, mergePartials, readEdges } from './windows/read-edges.js';
export { GraphRecorder, type Taken } from './windows/recorder.js';
